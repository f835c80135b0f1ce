import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import type { OperationalFailure } from '../../infra/failures.ts';
import { anOrderId, anyHistory, appendAll, placement } from '../../projections/examples.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { openParkingDesk } from './parking.ts';
import {
  at,
  authorized,
  captured,
  describeOnReadStores,
  everything,
  healthy,
  openWorld,
  orders,
  threeOrders,
  type OpenReadStore,
  type World,
} from './test-parking-world.ts';
import { deliver, feedOf, type Kind, type Tally } from './test-poison.ts';

function parkingSuite(open: OpenReadStore, runs: number): void {
  it.each<Kind>(['changes', 'update', 'column'])(
    'parks the one order whose event throws in its %s; the others go on; after the fix it is drained, and the view is the fold',
    async (kind) => {
      const world = await openWorld(await open());
      const events = await threeOrders(world.store);
      world.poison.set(at(events, 'two', 1).eventId, kind);
      await world.run({ feed: feedOf([deliver('1', ...events.slice(0, 5)), deliver('2', ...events.slice(5))]) });

      expect(await world.view(events)).toEqual(world.foldOf(healthy(events, world.poison)));
      const { stream } = at(events, 'two', 1);
      const { items } = await world.desk.list(everything);
      expect(items).toMatchObject([{ stream, firstRevision: 1, lastRevision: 2, events: 2, attempts: 0 }]);
      const shown = await world.desk.show({ projection: 'test-tally', stream }, 10);
      expect(shown?.events.map(({ revision, event }) => [revision, event?.type])).toEqual([[1, 'PaymentAuthorized'], [2, 'PaymentCaptured']]); // prettier-ignore

      world.poison.clear();
      const drained = await world.desk.drain(everything);
      expect(drained.items).toEqual([{ projection: 'test-tally', stream, outcome: 'drained' }]);
      expect(await world.view(events)).toEqual(world.foldOf(events));
      expect(await world.desk.groups()).toEqual([]);
      expect(world.removed).toEqual([anOrderId('two')]);
    },
  );

  it('tells type and place of the error, the same for the same one, and no word of its message', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    for (const name of ['one', 'two']) world.poison.set(at(events, name, 0).eventId, 'update');
    world.poison.set(at(events, 'three', 0).eventId, 'changes');
    await world.run({ feed: feedOf([deliver('1', ...events)]) });
    const groups = await world.desk.groups();
    expect(groups.map(({ streams, events: waiting }) => [streams, waiting])).toEqual([[2, 6], [1, 3]]); // prettier-ignore
    for (const { error } of groups) expect(error).toMatch(/^TypeError at services\/projector\/test-poison\.ts:\d+/);
    expect(JSON.stringify([groups, world.parked])).not.toContain('jane');
  });

  it('has, for any events, poison, batches, redeliveries, restarts and drains, the fold of what is healthy, and all of it after the fix; nothing twice', async () => {
    const readStore = await open();
    const cuts = fc.array(
      fc.record({
        size: fc.integer({ min: 1, max: 9 }),
        again: fc.integer({ min: 0, max: 5 }),
        drains: fc.boolean(),
        discards: fc.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    );
    const poisons = fc.array(fc.constantFrom<Kind | null>(null, null, null, 'changes', 'update', 'column'), {
      minLength: 60,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(anyHistory, poisons, cuts, async (given, kinds, sizes) => {
        const world = await openWorld(readStore);
        const events = await appendAll(world.store, given);
        for (const [index, { eventId }] of events.entries()) {
          const kind = kinds[index];
          if (kind !== null && kind !== undefined) world.poison.set(eventId, kind);
        }
        const expected = world.foldOf(healthy(events, world.poison));
        let position = 0;
        for (let turn = 0; position < events.length; turn += 1) {
          const { size = 1, again = 0, drains, discards } = sizes[turn % sizes.length] ?? {};
          const batch = events.slice(Math.max(0, position - again), position + size);
          await world.run({ feed: feedOf([deliver(`${turn}`, ...batch)]) });
          // A drain before the fix goes as far as the healthy events do.
          if (drains === true) await world.desk.drain(everything);
          if (discards === true) await world.desk.discard({ selection: {}, limit: 1 });
          position += size;
        }
        const seen = await world.view(events);
        for (const [stream, ids] of Object.entries(seen.streams)) expect(ids).toEqual(expected.streams[stream] ?? []);
        expect(seen.count).toBe(expected.count);

        world.poison.clear();
        for (const id of orders('one', 'two', 'three'))
          await world.desk.drain({ selection: { orderId: id }, limit: 9 });
        expect(await world.view(events)).toEqual(world.foldOf(events));
        expect(await world.desk.groups()).toEqual([]);
        // The projector goes on as if nothing had been.
        await world.run({ feed: feedOf([deliver('again', ...events)]) });
        expect(await world.view(events)).toEqual(world.foldOf(events));
      }),
      { numRuns: runs },
    );
  });

  it(
    'drains under a running projector, which goes on with what comes later, each event once',
    { timeout: 30_000 },
    async () => {
      const world = await openWorld(await open());
      const ids = Array.from({ length: 20 }, (_, index) => anOrderId(`busy-${index}`));
      const events: RecordedEvent[] = [...(await appendAll(world.store, ids.map((id) => placement(id))))]; // prettier-ignore
      for (const { eventId } of events.slice(0, 10)) world.poison.set(eventId, 'update');
      const stop = new AbortController();
      const failures: string[] = [];
      const observe = { onFailure: ({ failure }: { failure: OperationalFailure }) => void failures.push(failure.code) };
      const feed = openLogFeed(world.store, { pollMs: 5 });
      const running = world.run({ feed, batchMax: 3, signal: stop.signal, observe });
      await vi.waitFor(async () => expect((await world.desk.groups())[0]?.streams).toBe(10), { timeout: 10_000 });
      world.poison.clear();
      const drains = (async () => {
        for (const id of ids.slice(0, 10)) await world.desk.drain({ selection: { orderId: id }, limit: 5 });
      })();
      for (const make of [authorized, captured]) {
        for (const id of ids) events.push(...(await appendAll(world.store, [make(id)])));
      }
      await drains;
      await vi.waitFor(async () => expect((await world.view(events)).count).toBe(events.length), { timeout: 15_000 });
      stop.abort();
      await running;
      expect(await world.view(events)).toEqual(world.foldOf(events));
      expect(await world.desk.groups()).toEqual([]);
      // A drain is no failure of the projector: it takes its turn anew.
      expect(failures).toEqual([]);
    },
  );
}

function valuesSuite(open: OpenReadStore): void {
  it('parks the one order whose document Postgres cannot hold, and tells no value', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    const bad = at(events, 'two', 1);
    const withNote = (noteOf: (ids: readonly string[]) => string): World['projection'] => {
      const { view } = world.projection;
      const note = { type: 'text', of: ({ events: ids }: Tally) => noteOf(ids) } as const;
      return { ...world.projection, view: { ...view, version: 2, columns: { ...view.columns, note } } };
    };
    // Postgres has no text with a NUL in it: this is refused by the server, not by our code.
    const broken = withNote((ids) => (ids.includes(bad.eventId) ? 'jane@example.org\0' : 'fine'));
    await world.readStore.prepare([broken.view]);
    await world.run({ feed: feedOf([deliver('1', ...events)]), projection: broken });
    expect(world.parked).toMatchObject([
      { stream: bad.stream, firstRevision: 1, error: 'POISON_VALUE: SQLSTATE 22021' },
    ]);
    expect(JSON.stringify(world.parked)).not.toContain('jane');
    expect(await world.view(events)).toEqual(world.foldOf(healthy(events, new Map([[bad.eventId, 'x']]))));
    const snapshots = { remove: () => Promise.resolve() };
    const asBefore = openParkingDesk({ ...world, projections: [broken], snapshots });
    expect((await asBefore.drain(everything)).items).toMatchObject([{ outcome: 'parked' }]);
    const mended = openParkingDesk({ ...world, projections: [withNote(() => 'fine')], snapshots });
    expect((await mended.drain(everything)).items).toMatchObject([{ outcome: 'drained' }]);
    expect(await world.view(events)).toEqual(world.foldOf(events));
  });
}

describeOnReadStores('parking', { all: parkingSuite, postgres: valuesSuite });
