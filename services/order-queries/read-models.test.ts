import { afterEach, describe, expect, it } from 'vitest';
import { openEventFeed } from '../../infra/event-feed/open.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { openMemoryOrderSnapshots } from '../../infra/order-snapshots/memory/memory-order-snapshots.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import { openMemorySubjectKeys } from '../../infra/subject-keys/memory/memory-subject-keys.ts';
import { dailySales } from '../../projections/daily-sales/projection.ts';
import { anOrderId, appendAll, otherTenant, paymentFact, placement, tenant } from '../../projections/examples.ts';
import { orderTimeline } from '../../projections/order-timeline/projection.ts';
import type { Projection } from '../../projections/projection.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { openOrderQueries, type OrderQueries } from './order-queries.ts';

type World = { readonly store: EventStore; readonly readStore: ReadStore; readonly queries: OrderQueries };

async function openWorld({ readStore = openMemoryReadStore(), store = openMemoryEventStore() } = {}): Promise<World> {
  await readStore.prepare([orderTimeline.view, dailySales.view]).catch(() => undefined);
  const feed = openEventFeed(store);
  const stores = {
    store,
    feed,
    readStore,
    snapshots: openMemoryOrderSnapshots(),
    subjectKeys: openMemorySubjectKeys(),
  };
  return { ...stores, queries: openOrderQueries({ ...stores, cursorSecret: 'secret', viewTimeoutMs: 200 }) };
}

/** Brings a view up to these events, one by one. */
async function project(world: World, projection: Projection, events: readonly RecordedEvent[]): Promise<void> {
  const { readStore } = world;
  const { view } = projection;
  for (const event of events) {
    for (const change of projection.changes(event)) {
      const { tenantId, key } = change;
      const [current] = await readStore.find(view, [{ tenantId, key }]);
      const from = await readStore.loadCheckpoint(view.name, 'log');
      const move = { consumer: view.name, partition: 'log', from, to: event.position };
      await readStore.commit({ view, documents: [{ tenantId, key, document: change.update(current ?? null) }], progress: [], move }); // prettier-ignore
    }
  }
}

const orderId = anOrderId('order');
const place = placement(orderId);
const pay = paymentFact('PaymentCaptured', orderId);

const down = <Result>(): Promise<Result> =>
  Promise.reject(new OperationalFailure('VIEWS_UNAVAILABLE', 'down', { retryable: true }));

describe('the timeline of an order', () => {
  it('is the same from the view as folded from the store, but for its freshness', async () => {
    const world = await openWorld();
    const events = await appendAll(world.store, [place, pay]);
    const folded = await world.queries.timeline(tenant, orderId);
    await project(world, orderTimeline, events);
    const viewed = await world.queries.timeline(tenant, orderId);
    expect(folded?.items.map(({ version, title }) => [version, title])).toEqual([[1, 'Order placed'], [2, 'Payment received']]); // prettier-ignore
    expect(viewed).toEqual(folded);
    expect(viewed?.asOf).toMatchObject({ version: 2, lagMs: 0, projection: 'order-timeline@1', parked: false });
  });

  it('says how old it is where the view has not seen everything', async () => {
    const store = openMemoryEventStore({ now: () => new Date(Date.now() - 60_000) });
    const world = await openWorld({ store });
    const events = await appendAll(store, [place, pay]);
    await project(world, orderTimeline, events.slice(0, 1));
    const { items, asOf } = (await world.queries.timeline(tenant, orderId)) ?? {};
    expect([items?.length, (asOf?.lagMs ?? 0) >= 60_000]).toEqual([1, true]);
  });

  it('is no other tenant’s, by whichever way, and none where nobody placed it', async () => {
    const world = await openWorld();
    const events = await appendAll(world.store, [place]);
    expect(await world.queries.timeline(otherTenant, orderId)).toBeNull();
    await project(world, orderTimeline, events);
    expect(await world.queries.timeline(otherTenant, orderId)).toBeNull();
    expect(await world.queries.timeline(tenant, anOrderId('unknown'))).toBeNull();
  });

  it('is folded from the store while the read database is down', async () => {
    const world = await openWorld({ readStore: { ...openMemoryReadStore(), find: down, loadCheckpoint: down, checkpoints: down } });
    await appendAll(world.store, [place, pay]);
    expect((await world.queries.timeline(tenant, orderId))?.items).toHaveLength(2);
  });
});

function dailySalesSuite(openReadStore: () => Promise<ReadStore>): void {
  const sell = async (world: World): Promise<void> => {
    const on = async (day: string | null, currency: string): Promise<void> => {
      const occurredAt = day === null ? null : `${day}T12:00:00.000Z`;
      const order = placement(anOrderId(`${day} ${currency}`), { currency });
      await project(world, dailySales, await appendAll(world.store, [order], { occurredAt, origin: 'backfill' }));
    };
    for (const day of ['2026-01-01', '2026-01-02', '2026-01-03']) await on(day, 'EUR');
    await on('2026-01-02', 'BRL');
    await on(null, 'EUR');
  };
  const days = async (world: World, filters: Parameters<OrderQueries['dailySales']>[1]): Promise<readonly string[]> => {
    const page = await world.queries.dailySales(tenant, filters, { limit: 50 });
    return page.outcome === 'page' ? page.items.map(({ day, currency }) => `${day} ${currency}`) : ['rejected'];
  };

  it('shows each row once, newest day first and the unknown one last, over pages', async () => {
    const world = await openWorld({ readStore: await openReadStore() });
    await sell(world);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await world.queries.dailySales(tenant, {}, { limit: 2, cursor });
      if (page.outcome !== 'page') throw new Error(page.rejection.code);
      seen.push(...page.items.map(({ day, currency }) => `${day} ${currency}`));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(['2026-01-03 EUR', '2026-01-02 EUR', '2026-01-02 BRL', '2026-01-01 EUR', 'unknown EUR']);
  });

  it('filters by days, both inclusive, and by currency, for one tenant', async () => {
    const world = await openWorld({ readStore: await openReadStore() });
    await sell(world);
    expect(await days(world, { from: '2026-01-02', to: '2026-01-02' })).toEqual(['2026-01-02 EUR', '2026-01-02 BRL']);
    expect(await days(world, { from: '2026-01-03' })).toEqual(['2026-01-03 EUR']);
    expect(await days(world, { to: '2026-01-01' })).toEqual(['2026-01-01 EUR']);
    expect(await days(world, { currency: 'BRL' })).toEqual(['2026-01-02 BRL']);
    expect(await world.queries.dailySales(otherTenant, {}, { limit: 50 })).toMatchObject({ items: [] });
  });

  it('refuses a cursor of another report, tenant or filter', async () => {
    const world = await openWorld({ readStore: await openReadStore() });
    await sell(world);
    const page = await world.queries.dailySales(tenant, {}, { limit: 1 });
    const cursor = page.outcome === 'page' ? (page.nextCursor ?? '') : '';
    const refused = { rejection: { code: 'INVALID_CURSOR' } };
    expect(await world.queries.dailySales(otherTenant, {}, { limit: 1, cursor })).toMatchObject(refused);
    expect(await world.queries.dailySales(tenant, { currency: 'EUR' }, { limit: 1, cursor })).toMatchObject(refused);
    expect(await world.queries.list(tenant, {}, { limit: 1, cursor })).toMatchObject(refused);
  });
}

describe('sales by day in memory', () => dailySalesSuite(() => Promise.resolve(openMemoryReadStore())));

describeWithPostgres('sales by day on Postgres', () => {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((close) => close()));
  });
  dailySalesSuite(async () => {
    const database = await freshDatabase();
    const readStore = openPostgresReadStore(database.url);
    opened.push(async () => {
      await readStore.close();
      await database.drop();
    });
    return readStore;
  });
});
