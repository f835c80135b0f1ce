import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ParkedStream } from '../../infra/read-store/parking.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import { anOrderId, anyHistory, appendAll, paymentFact, placement } from '../../projections/examples.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { newEventId, orderStream, type StreamName } from '../../schemas/ids.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { openParkingDesk, type ParkingDesk } from './parking.ts';
import { parkedPerMinuteMax } from './parking-limit.ts';
import { runProjector, type RunProjectorOptions } from './projector.ts';
import { deliver, feedOf, poisonedProjection, tallyOf, type Kind, type Poisoned, type Tally } from './test-poison.ts';

type World = Poisoned & {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly desk: ParkingDesk;
  /** Cache entries that were dropped. */
  readonly removed: readonly string[];
  readonly parked: readonly ParkedStream[];
  run(options: Pick<RunProjectorOptions<Tally>, 'feed'> & Partial<RunProjectorOptions<Tally>>): Promise<void>;
  /** As the fold of these events would have it. */
  foldOf(events: readonly RecordedEvent[]): Awaited<ReturnType<typeof tallyOf>>;
  view(events: readonly RecordedEvent[]): ReturnType<typeof tallyOf>;
};

async function openWorld(readStore: ReadStore): Promise<World> {
  const { projection, poison } = poisonedProjection();
  const store = openMemoryEventStore();
  await readStore.prepare([projection.view]);
  await readStore.clear(projection.view);
  const parked: ParkedStream[] = [];
  const removed: string[] = [];
  const snapshots = {
    remove: (_tenant: string, ids: readonly string[]) => Promise.resolve(void removed.push(...ids)),
  };
  const signal = new AbortController().signal;
  const observe = { onParked: (each: ParkedStream) => void parked.push(each) };
  const foldOf: World['foldOf'] = (events) => {
    const streams = Map.groupBy(events, ({ stream }) => stream);
    const ids = [...streams].map(([stream, own]) => [stream, own.map(({ eventId }) => eventId)] as const);
    return { streams: Object.fromEntries(ids), count: events.length };
  };
  return {
    ...{ projection, poison, store, readStore, removed, parked, foldOf },
    desk: openParkingDesk({ store, readStore, projections: [projection], snapshots }),
    run: (options) => runProjector({ store, readStore, projection, signal, observe, ...options }),
    view: (events) => tallyOf(readStore, projection, [...new Set(events.map(({ stream }) => stream))]),
  };
}

const orders = (...names: readonly string[]) => names.map((name) => anOrderId(name));
const everything = { selection: {}, limit: 100 };

/** Three orders of three events each, side by side. */
async function threeOrders(store: EventStore): Promise<readonly RecordedEvent[]> {
  const ids = orders('one', 'two', 'three');
  const events: RecordedEvent[] = [];
  for (const make of [placement, authorized, captured]) events.push(...(await appendAll(store, ids.map((id) => make(id))))); // prettier-ignore
  return events;
}

const authorized = (id: ReturnType<typeof anOrderId>) => paymentFact('PaymentAuthorized', id);
const captured = (id: ReturnType<typeof anOrderId>) => paymentFact('PaymentCaptured', id);

function at(events: readonly RecordedEvent[], name: string, revision: number): RecordedEvent {
  const found = events.find((event) => event.stream === orderStream(anOrderId(name)) && event.revision === revision);
  if (found === undefined) throw new Error(`no revision ${revision} of ${name}`);
  return found;
}

/** What is applied while the poison is there: of each stream up to its first poison event. */
function healthy(events: readonly RecordedEvent[], poison: ReadonlyMap<string, unknown>): readonly RecordedEvent[] {
  const stopped = new Set<StreamName>();
  return events.filter(({ stream, eventId }) => {
    if (poison.has(eventId)) stopped.add(stream);
    return !stopped.has(stream);
  });
}

function parkingSuite(open: () => Promise<ReadStore>, runs: number): void {
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

  it('stops, and parks no one, where more than the stated number would be parked in a minute; goes on by itself after the fix', async () => {
    const world = await openWorld(await open());
    const ids = Array.from({ length: parkedPerMinuteMax + 1 }, (_, index) => anOrderId(`bad-${index}`));
    const events = await appendAll(world.store, [...ids.map((id) => placement(id)), placement(anOrderId('good'))]);
    for (const { eventId } of events.slice(0, -1)) world.poison.set(eventId, 'changes');
    const codes: string[] = [];
    const observe = {
      onFailure: ({ failure }: { failure: OperationalFailure }) => {
        codes.push(failure.code);
        if (codes.length === 2) world.poison.clear();
      },
    };
    await world.run({ feed: feedOf([deliver('1', ...events)]), observe });
    expect(codes).toEqual(['PARKING_THRESHOLD', 'PARKING_THRESHOLD']);
    expect(await world.desk.groups()).toEqual([]);
    expect(await world.view(events)).toEqual(world.foldOf(events));
  });

  it('counts the minute by what is parked, so that a restart does not begin anew, and ends it after a minute', async () => {
    const world = await openWorld(await open());
    const ids = Array.from({ length: 2 * parkedPerMinuteMax }, (_, index) => anOrderId(`bad-${index}`));
    const events = await appendAll(world.store, ids.map((id) => placement(id))); // prettier-ignore
    for (const { eventId } of events) world.poison.set(eventId, 'update');
    const feed = feedOf([
      deliver('1', ...events.slice(0, parkedPerMinuteMax)),
      deliver('2', ...events.slice(parkedPerMinuteMax)),
    ]);
    const start = Date.UTC(2026, 0, 1);
    const stop = new AbortController();
    const observe = { onFailure: () => stop.abort() };
    const parked = async (): Promise<number | undefined> => (await world.desk.groups())[0]?.streams;
    await world.run({ feed, now: () => start, signal: stop.signal, observe });
    expect(await parked()).toBe(parkedPerMinuteMax);
    await world.run({ feed, now: () => start + 59_000, signal: stop.signal, observe });
    expect(await parked()).toBe(parkedPerMinuteMax);
    await world.run({ feed, now: () => start + 60_000 });
    expect(await parked()).toBe(2 * parkedPerMinuteMax);
  });

  it('parks nothing for an outage, of the views or of the store', async () => {
    const readStore = await open();
    const world = await openWorld(readStore);
    const events = await threeOrders(world.store);
    const down = (code: 'VIEWS_UNAVAILABLE' | 'STORE_UNAVAILABLE') => () =>
      Promise.reject(new OperationalFailure(code, 'a cable', { retryable: true }));
    const find = vi.fn<ReadStore['find']>().mockImplementationOnce(down('VIEWS_UNAVAILABLE'));
    find.mockImplementation((view, keys) => readStore.find(view, keys));
    const readStream = vi.fn<EventStore['readStream']>().mockImplementationOnce(down('STORE_UNAVAILABLE'));
    readStream.mockImplementation((query) => world.store.readStream(query));
    const gap = feedOf([deliver('1', ...events.slice(0, 3)), deliver('2', ...events.slice(6))]);
    await world.run({ feed: gap, store: { readStream }, readStore: { ...readStore, find: find as ReadStore['find'] } });
    expect(world.parked).toEqual([]);
    const [first, second] = [events.slice(0, 6), events.slice(6)];
    expect(await world.view(events)).toEqual(world.foldOf([...first, ...second]));
  });

  it('parks a gap that the store has as well, and drains it once the store tells', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    const without = events.filter((event) => event !== at(events, 'one', 1));
    const lacking: Pick<EventStore, 'readStream'> = {
      readStream: async (query) => (await world.store.readStream(query)).filter((event) => without.some(({ eventId }) => eventId === event.eventId)), // prettier-ignore
    };
    await world.run({ feed: feedOf([deliver('1', ...without)]), store: lacking });
    const lost = [at(events, 'one', 1), at(events, 'one', 2)];
    expect(await world.view(events)).toEqual(world.foldOf(events.filter((event) => !lost.includes(event))));
    expect(world.parked).toMatchObject([{ firstRevision: 2, error: expect.stringMatching(/^Gap: /) as string }]);
    const snapshots = { remove: () => Promise.resolve() };
    const blind = openParkingDesk({ ...world, store: lacking, projections: [world.projection], snapshots });
    expect((await blind.drain(everything)).items).toMatchObject([{ outcome: 'parked' }]);
    expect((await world.desk.list(everything)).items).toMatchObject([{ attempts: 1, lastRevision: 2 }]);
    expect((await world.desk.drain(everything)).items).toMatchObject([{ outcome: 'drained' }]);
    expect(await world.view(events)).toEqual(world.foldOf(events));
  });

  it('drains a fork that only the feed told, and keeps one that the store has', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    const told = { ...at(events, 'one', 0), eventId: newEventId() };
    const other = { ...at(events, 'two', 0), eventId: newEventId() };
    const rest = events.filter(({ revision }) => revision > 0);
    const first = [at(events, 'one', 0), other, at(events, 'three', 0)];
    const second = [told, at(events, 'two', 0), ...rest];
    await world.run({ feed: feedOf([deliver('1', ...first), deliver('2', ...second)]) });
    expect(world.parked.map(({ error }) => error.slice(0, 5))).toEqual(['Fork:', 'Fork:']);
    const outcomes = (await world.desk.drain(everything)).items.map(({ stream, outcome }) => [stream, outcome]);
    expect(outcomes).toContainEqual([told.stream, 'drained']);
    expect(outcomes).toContainEqual([other.stream, 'parked']);
    const { streams } = await world.view(events);
    expect(streams[told.stream]).toEqual(world.foldOf(events).streams[told.stream]);
    expect(streams[other.stream]).toEqual([other.eventId]);
  });

  it('drops later events of a discarded order, leaves its view, and still brings it back by a drain of that order', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    const poison = at(events, 'two', 1);
    world.poison.set(poison.eventId, 'update');
    const feed = feedOf([deliver('1', ...events.slice(0, 6)), deliver('2', ...events.slice(6))]);
    const stop = new AbortController();
    await world.run({ feed: feedOf([deliver('1', ...events.slice(0, 6))]) });
    const discarded = await world.desk.discard({ selection: { orderId: anOrderId('two') }, limit: 9 });
    expect(discarded.items).toMatchObject([{ stream: poison.stream, outcome: 'discarded' }]);
    await world.run({ feed, signal: stop.signal });
    const [listed] = (await world.desk.list(everything)).items;
    expect(listed).toMatchObject({ state: 'discarded', events: 0, lastRevision: 2 });
    world.poison.clear();
    expect((await world.desk.drain(everything)).items).toEqual([]);
    expect(await world.view(events)).toEqual(world.foldOf(healthy(events, new Map([[poison.eventId, 'x']]))));
    await world.desk.drain({ selection: { orderId: anOrderId('two') }, limit: 9 });
    expect(await world.view(events)).toEqual(world.foldOf(events));
  });

  it('drains also the event that came, and was parked, between the read of the store and the lock', async () => {
    const world = await openWorld(await open());
    const id = anOrderId('one');
    const events = [...(await appendAll(world.store, [placement(id)]))];
    for (const { eventId } of events) world.poison.set(eventId, 'update');
    await world.run({ feed: feedOf([deliver('1', ...events)]) });
    world.poison.clear();
    const overtaken = async (query: Parameters<EventStore['readStream']>[0]): Promise<readonly RecordedEvent[]> => {
      const page = await world.store.readStream(query);
      if (events.length > 1) return page;
      events.push(...(await appendAll(world.store, [captured(id)])));
      await world.run({ feed: feedOf([deliver('1'), deliver('2', ...events.slice(1))]) });
      return page;
    };
    const snapshots = { remove: () => Promise.resolve() };
    const desk = openParkingDesk({
      ...world,
      store: { readStream: overtaken },
      projections: [world.projection],
      snapshots,
    });
    expect((await desk.drain(everything)).items).toMatchObject([{ outcome: 'drained' }]);
    expect(await world.view(events)).toEqual(world.foldOf(events));
  });

  it('counts the drains that failed, and takes the new error', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    world.poison.set(at(events, 'two', 1).eventId, 'changes');
    await world.run({ feed: feedOf([deliver('1', ...events)]) });
    const [before] = (await world.desk.list(everything)).items;
    world.poison.clear();
    world.poison.set(at(events, 'two', 2).eventId, 'update');
    expect((await world.desk.drain(everything)).items).toMatchObject([{ outcome: 'parked' }]);
    const [after] = (await world.desk.list(everything)).items;
    expect(after).toMatchObject({ attempts: 1, firstRevision: 2, events: 1, since: before?.since });
    expect(after?.fingerprint).not.toBe(before?.fingerprint);
    expect(await world.view(events)).toEqual(world.foldOf(healthy(events, world.poison)));
  });
}

describe('parking on memory', () => {
  parkingSuite(() => Promise.resolve(openMemoryReadStore()), 60);
});

describeWithPostgres('parking on Postgres', () => {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((close) => close()));
  });
  const open = async (): Promise<ReadStore> => {
    const database = await freshDatabase();
    const readStore = openPostgresReadStore(database.url);
    opened.push(async () => {
      await readStore.close();
      await database.drop();
    });
    return readStore;
  };
  parkingSuite(open, 6);

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
});
