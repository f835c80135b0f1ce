import { afterEach, describe, expect, it, vi } from 'vitest';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { openTransactor } from '../../infra/event-store/transact.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import { parkedPerMinuteMax } from '../../infra/read-store/parking-limit.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import { anOrderId, appendAll, paymentFact, placement } from '../../projections/examples.ts';
import type { AnyEvent } from '../../schemas/envelope.ts';
import { fulfillmentStream, orderStream, type OrderId } from '../../schemas/ids.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { openParkingDesk } from '../projector/parking.ts';
import { deliver, feedOf } from '../projector/test-poison.ts';
import { runOrderFeed, type OrderFeedOptions } from './feed-consumer.ts';
import { defaultLimits } from './limits.ts';
import type { Observation } from './observe.ts';
import { sagaDecider } from './saga.ts';
import { openWaitingOrders, type WaitingOrdersOptions } from './waiting-orders.ts';

/** Sagas are told of orders; those with a payment by a method of `broken` cannot be read until it is mended. */
async function openWorld(readStore: ReadStore) {
  await readStore.prepare([]);
  const store = openMemoryEventStore();
  const broken = new Set<string>(['odd']);
  const unpaidExpiryMs = (method: string): number => {
    if (broken.has(method)) throw new TypeError('what jane@example.org typed');
    return 60_000;
  };
  const transactor = openTransactor(store, { decider: sagaDecider, streamsMax: 100 });
  const observed: Observation[] = [];
  const common: Omit<OrderFeedOptions, 'feed'> = {
    ...{ readStore, transactor, unpaidExpiryMs, limits: defaultLimits },
    driver: { room: () => Promise.resolve(), drive: () => Promise.resolve('idle') } as never,
    observe: (observation) => void observed.push(observation),
  };
  const deskWith = (changes: Partial<WaitingOrdersOptions>) =>
    openParkingDesk({
      ...{ store, readStore, projections: [], snapshots: { remove: () => Promise.resolve() } },
      others: [openWaitingOrders({ store, readStore, transactor, unpaidExpiryMs, ...changes })],
    });
  const signal = new AbortController().signal;
  return {
    ...{ store, readStore, broken, observed, deskWith },
    desk: deskWith({}),
    listen: (feed: EventFeed, options: Partial<OrderFeedOptions & { readonly signal: AbortSignal }> = {}) =>
      runOrderFeed({ ...common, feed, ...options }, options.signal ?? signal),
    sagaOf: async (id: OrderId) => (await store.readStream({ stream: fulfillmentStream(id) })).map(({ type }) => type),
  };
}

const [odd, fine, other] = [anOrderId('odd'), anOrderId('fine'), anOrderId('other')];
const oddly = (id: OrderId): AnyEvent =>
  placement(id, { payments: [{ paymentId: 'p1', method: 'odd', amount: 2_500 }] });
const cancelled = (id: OrderId): AnyEvent => ({
  type: 'OrderCancelled',
  data: { orderId: id, reason: 'changed my mind' },
});
const everything = { selection: {}, limit: 100 };

/** The order that cannot be read, cancelled later; and one that can, at its side. */
function twoOrders(store: EventStore) {
  return appendAll(store, [oddly(odd), placement(fine), cancelled(odd), cancelled(fine)]);
}

function orderFeedSuite(open: () => Promise<ReadStore>): void {
  it('leaves an order that it cannot understand waiting in plain sight, with its later events, and tells the sagas of the others', async () => {
    const world = await openWorld(await open());
    const events = await twoOrders(world.store);
    await world.listen(feedOf([deliver('1', ...events.slice(0, 2)), deliver('2', ...events.slice(2))]));
    expect(await world.sagaOf(odd)).toEqual([]);
    expect(await world.sagaOf(fine)).toContain('OrderSignalNoted');
    const { items } = await world.desk.list(everything);
    const [{ stream }] = events as [(typeof events)[0]];
    expect(items).toMatchObject([{ consumer: 'fulfillment', stream, firstRevision: 0, lastRevision: 1, events: 2 }]);
    const shown = await world.desk.show({ projection: 'fulfillment', stream }, 10);
    expect(shown?.events.map(({ event }) => event?.type)).toEqual(['OrderPlaced', 'OrderCancelled']);
    expect(items[0]?.error).toMatch(/^TypeError at services\/fulfillment\//);
    expect(JSON.stringify([items, world.observed])).not.toContain('jane');
    expect(world.observed).toMatchObject([{ what: 'order-parked', orderId: odd, revision: 0 }]);
    expect(await world.readStore.loadCheckpoint('fulfillment', 'log')).toBe('2');
  });

  it('is told again, in order, by a drain after the fix; one before it says why not, and counts', async () => {
    const world = await openWorld(await open());
    const events = await twoOrders(world.store);
    await world.listen(feedOf([deliver('1', ...events)]));
    expect((await world.desk.drain(everything)).items).toMatchObject([
      { projection: 'fulfillment', outcome: 'parked' },
    ]);
    expect((await world.desk.list(everything)).items).toMatchObject([{ attempts: 1, firstRevision: 0, events: 2 }]);
    expect(await world.sagaOf(odd)).toEqual([]);
    world.broken.clear();
    expect((await world.desk.drain(everything)).items).toMatchObject([{ outcome: 'drained' }]);
    const types = await world.sagaOf(odd);
    expect(types.filter((type) => /^(FulfillmentStarted|OrderSignalNoted)$/.test(type))).toEqual([
      'FulfillmentStarted',
      'OrderSignalNoted',
    ]);
    expect(await world.desk.groups()).toEqual([]);
    // The feed goes on as if nothing had been, and a redelivery changes nothing.
    await world.listen(feedOf([deliver('1', ...events), deliver('again', ...events)]));
    expect(await world.sagaOf(odd)).toEqual(types);
  });

  it('knows after a restart what waits: a later event is not told before an earlier one', async () => {
    const world = await openWorld(await open());
    const events = await twoOrders(world.store);
    await world.listen(feedOf([deliver('1', ...events.slice(0, 2))]));
    world.broken.clear();
    await world.listen(feedOf([deliver('1'), deliver('2', ...events.slice(2))]));
    expect(await world.sagaOf(odd)).toEqual([]);
    expect((await world.desk.list(everything)).items).toMatchObject([{ lastRevision: 1, events: 2 }]);
  });

  it(
    'tells, drained under a running feed, each event once and in order; that is no failure of the feed',
    { timeout: 30_000 },
    async () => {
      const world = await openWorld(await open());
      const ids = Array.from({ length: 12 }, (_, index) => anOrderId(`busy-${index}`));
      await appendAll(world.store, ids.map(oddly));
      const stop = new AbortController();
      const limits = { ...defaultLimits, batchMax: 3 };
      const listening = world.listen(openLogFeed(world.store, { pollMs: 5 }), { signal: stop.signal, limits });
      await vi.waitFor(async () => expect((await world.desk.groups())[0]?.streams).toBe(12), { timeout: 10_000 });
      world.broken.clear();
      const drains = (async () => {
        for (const id of ids) await world.desk.drain({ selection: { orderId: id }, limit: 5 });
      })();
      await appendAll(world.store, ids.map(cancelled));
      await drains;
      await vi.waitFor(
        async () => {
          for (const id of ids) expect(await world.sagaOf(id)).toContain('OrderSignalNoted');
        },
        { timeout: 15_000 },
      );
      const head = await world.store.readLog({ after: null, limit: 5_000, categories: ['order'] });
      await vi.waitFor(
        async () => expect(await world.readStore.loadCheckpoint('fulfillment', 'log')).toBe(head.checkpoint),
        { timeout: 10_000 },
      );
      stop.abort();
      await listening;
      for (const id of ids) {
        expect((await world.sagaOf(id)).filter((type) => type === 'OrderSignalNoted')).toHaveLength(1);
      }
      expect(await world.desk.groups()).toEqual([]);
      expect(world.observed.filter(({ what }) => what !== 'order-parked')).toEqual([]);
    },
  );

  it('tells again also the event that came, and was noted, between the read of the store and the lock', async () => {
    const world = await openWorld(await open());
    const events = [...(await appendAll(world.store, [oddly(odd)]))];
    await world.listen(feedOf([deliver('1', ...events)]));
    world.broken.clear();
    const readStream: EventStore['readStream'] = async (query) => {
      const page = await world.store.readStream(query);
      if (events.length > 1) return page;
      events.push(...(await appendAll(world.store, [cancelled(odd)])));
      await world.listen(feedOf([deliver('1'), deliver('2', ...events.slice(1))]));
      return page;
    };
    const desk = world.deskWith({ store: { readStream } });
    expect((await desk.drain(everything)).items).toMatchObject([{ outcome: 'drained' }]);
    expect(await world.sagaOf(odd)).toContain('OrderSignalNoted');
  });

  it('stops, and parks no one, where more than the stated number would be parked in a minute; goes on after the fix', async () => {
    const world = await openWorld(await open());
    const ids = Array.from({ length: parkedPerMinuteMax + 1 }, (_, index) => anOrderId(`bad-${index}`));
    const events = await appendAll(world.store, [...ids.map(oddly), placement(fine)]);
    const codes: string[] = [];
    const observe = (observation: Observation): void => {
      if (observation.what !== 'loop-failed') return;
      codes.push((observation.error as OperationalFailure).code);
      world.broken.clear();
    };
    await world.listen(feedOf([deliver('1', ...events)]), { observe });
    expect(codes).toEqual(['PARKING_THRESHOLD']);
    expect(await world.desk.groups()).toEqual([]);
    expect(await world.sagaOf(ids[0] as OrderId)).toContain('FulfillmentStarted');
  });

  it('parks nothing for an outage', async () => {
    const world = await openWorld(await open());
    world.broken.clear();
    const events = await twoOrders(world.store);
    const outage = new OperationalFailure('STORE_UNAVAILABLE', 'a cable', { retryable: true });
    vi.spyOn(world.store, 'append').mockRejectedValueOnce(outage);
    await world.listen(feedOf([deliver('1', ...events)]));
    expect(world.observed.filter(({ what }) => what === 'order-parked')).toEqual([]);
    expect(await world.sagaOf(odd)).toContain('OrderSignalNoted');
  });

  it('gives a discarded order up, later events too, and still brings it back by a drain of that order', async () => {
    const world = await openWorld(await open());
    const events = await appendAll(world.store, [oddly(odd), paymentFact('PaymentCaptured', other), cancelled(odd)]);
    await world.listen(feedOf([deliver('1', ...events.slice(0, 2))]));
    const discarded = await world.desk.discard({ selection: { projection: 'fulfillment' }, limit: 9 });
    expect(discarded.items).toMatchObject([{ stream: orderStream(odd), outcome: 'discarded' }]);
    await world.listen(feedOf([deliver('1'), deliver('2', ...events.slice(2))]));
    expect((await world.desk.list(everything)).items).toMatchObject([
      { state: 'discarded', events: 0, lastRevision: 1 },
    ]);
    world.broken.clear();
    expect((await world.desk.drain(everything)).items).toEqual([]);
    expect(await world.sagaOf(odd)).toEqual([]);
    await world.desk.drain({ selection: { orderId: odd }, limit: 9 });
    expect(await world.sagaOf(odd)).toContain('OrderSignalNoted');
  });

  it('does not take an event that the store lacks for told', async () => {
    const world = await openWorld(await open());
    const events = await twoOrders(world.store);
    await world.listen(feedOf([deliver('1', ...events)]));
    world.broken.clear();
    const readStream: EventStore['readStream'] = async (query) => (await world.store.readStream(query)).slice(0, 1);
    const blind = world.deskWith({ store: { readStream } });
    expect((await blind.drain(everything)).items).toMatchObject([{ outcome: 'parked' }]);
    expect((await world.desk.list(everything)).items).toMatchObject([
      { error: expect.stringMatching(/^Gap: /) as string },
    ]);
    expect((await world.desk.drain(everything)).items).toMatchObject([{ outcome: 'drained' }]);
    expect(await world.readStore.parking.list({ filter: {}, limit: 9 })).toEqual([]);
  });
}

describe('the order feed on memory', () => orderFeedSuite(() => Promise.resolve(openMemoryReadStore())));

describeWithPostgres('the order feed on Postgres', () => {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((close) => close()));
  });
  orderFeedSuite(async () => {
    const database = await freshDatabase();
    const readStore = openPostgresReadStore(database.url);
    opened.push(async () => {
      await readStore.close();
      await database.drop();
    });
    return readStore;
  });
});
