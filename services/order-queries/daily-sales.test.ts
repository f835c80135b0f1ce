import { afterEach, describe, expect, it } from 'vitest';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import { dailySales } from '../../projections/daily-sales/projection.ts';
import { anOrderId, appendAll, otherTenant, placement, tenant } from '../../projections/examples.ts';
import { orderTimeline } from '../../projections/order-timeline/projection.ts';
import type { TenantId } from '../../schemas/ids.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import type { OrderQueries } from './order-queries.ts';
import { anewOn, leaveBehind, openWorld, project, type World } from './test-read-models.ts';

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

  it.each(['parked', 'discarded'] as const)(
    'says parked while any order of the tenant is %s in it, on whatever day it would count, and to no other tenant',
    async (state) => {
      const world = await openWorld({ readStore: await openReadStore() });
      await sell(world);
      const parked = async (on: World, of: TenantId): Promise<boolean | string> => {
        const page = await on.queries.dailySales(of, { from: '2026-01-03' }, { limit: 50 });
        return page.outcome === 'page' ? page.asOf.parked : page.outcome;
      };
      const events = await appendAll(world.store, [placement(anOrderId('parked'))]);
      await leaveBehind(world, orderTimeline, { events });
      expect(await parked(world, tenant)).toBe(false);
      await leaveBehind(world, dailySales, { events, state });
      const later = await anewOn(world);
      expect([await parked(later, tenant), await parked(later, otherTenant)]).toEqual([true, false]);
    },
  );

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
