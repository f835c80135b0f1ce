import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyEvent, RecordedEvent } from '../../schemas/envelope.ts';
import type { OrderId } from '../../schemas/ids.ts';
import { anOrderId, otherTenant, placement, recorded, tenant } from '../examples.ts';
import { dailySales } from './projection.ts';
import type { DailySales } from './sales.ts';

/** One thing in an order's life; what it is worth is said here in the law's own words, not in those of events. */
type Deed =
  | { readonly what: 'amended'; readonly total: number }
  | { readonly what: 'captured' | 'refunded'; readonly amount: number }
  | { readonly what: 'cancelled' | 'expired' | 'refund-requested' };

type Dated<What> = { readonly on: string | null; readonly deed: What };

type Life = {
  readonly tenantId: typeof tenant;
  readonly currency: string;
  readonly placed: Dated<{ readonly total: number; readonly quantities: readonly number[] }>;
  readonly deeds: readonly Dated<Deed>[];
};

const amount = fc.integer({ min: 0, max: 100_000 });
/** Few, so that orders meet on them; null: history that nobody knows the day of. */
const day = fc.constantFrom('2026-02-28', '2026-03-01', '2026-03-02', null);
const dated = <What>(deed: fc.Arbitrary<What>): fc.Arbitrary<Dated<What>> => fc.record({ on: day, deed });

const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: amount.map((total) => ({ what: 'amended', total }) as const) },
  fc.record({ what: fc.constantFrom('captured' as const, 'refunded' as const), amount }),
  fc.record({ what: fc.constantFrom('cancelled' as const, 'expired' as const, 'refund-requested' as const) }),
);

const anyLife: fc.Arbitrary<Life> = fc.record({
  tenantId: fc.constantFrom(tenant, otherTenant),
  currency: fc.constantFrom('EUR', 'BRL'),
  placed: dated(fc.record({ total: amount, quantities: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }) })), // prettier-ignore
  deeds: fc.array(dated(anyDeed), { maxLength: 12 }),
});
const anyLives = fc.array(anyLife, { minLength: 1, maxLength: 8 });

/** The events that an order's life leaves, in their order. An amendment says what the total was before it. */
function eventsOf(life: Life, orderId: OrderId): readonly RecordedEvent[] {
  const { currency, placed, deeds } = life;
  const lines = placed.deed.quantities.map((quantity, index) => {
    return { lineId: `l${index}`, sku: 'mug', quantity, unitPrice: 0, tax: 0, name: null };
  });
  const totals = (total: number) => ({ subtotal: total, discount: 0, shipping: 0, tax: 0, total });
  const events = [{ on: placed.on, event: placement(orderId, { currency, lines, totals: totals(placed.deed.total) }) }];
  let total = placed.deed.total;
  for (const { on, deed } of deeds) {
    const previousTotal = total;
    if (deed.what === 'amended') total = deed.total;
    events.push({ on, event: eventOf(deed, { orderId, currency, lines, totals: totals(total), previousTotal }) });
  }
  return events.flatMap(({ on, event }) => recorded([event], datedAs(life, on)));
}

type Before = { readonly orderId: OrderId; readonly currency: string; readonly previousTotal: number } & Record<'lines' | 'totals', unknown>; // prettier-ignore

function eventOf(deed: Deed, { orderId, currency, lines, totals, previousTotal }: Before): AnyEvent {
  const payment = { orderId, paymentId: 'p1', providerId: 'x', currency };
  const event = (type: string, data: object): AnyEvent => ({ type, data }) as AnyEvent;
  switch (deed.what) {
    case 'amended':
      return event('OrderAmended', { orderId, currency, lines, totals, previousTotal, payments: [], sealed: null });
    case 'captured':
      return event('PaymentCaptured', { ...payment, amount: deed.amount });
    case 'refunded':
      return event('PaymentRefunded', { ...payment, refundId: 'r1', amount: deed.amount });
    case 'refund-requested':
      return event('RefundRequested', { orderId, refundId: 'r1', paymentId: 'p1', amount: 1, currency, reason: 'x' });
    case 'cancelled':
      return event('OrderCancelled', { orderId, reason: 'changed my mind' });
    case 'expired':
      return event('OrderExpired', { orderId, reason: 'payment_expired' });
  }
}

function datedAs({ tenantId }: Life, on: string | null) {
  const origin = on === null ? ('backfill' as const) : ('live' as const);
  return { tenantId, origin, occurredAt: on === null ? null : `${on}T23:59:59.999Z` };
}

type Row = Omit<DailySales, 'day' | 'currency'>;
const nothing: Row = { orders: 0, units: 0, placed: 0, amended: 0, captured: 0, refunded: 0, net: 0 };

/** What the report must say, added up from the lives alone. */
function addedUp(lives: readonly Life[]): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  const add = ({ tenantId, currency }: Life, on: string | null, more: Partial<Row>): void => {
    const place = `${tenantId} ${on ?? 'unknown'}/${currency}`;
    const row = { ...(rows.get(place) ?? nothing) };
    for (const [name, value] of Object.entries(more)) row[name as keyof Row] += value;
    rows.set(place, row);
  };
  for (const life of lives) {
    const { placed, deeds } = life;
    let { total } = placed.deed;
    add(life, placed.on, { orders: 1, units: placed.deed.quantities.reduce((sum, each) => sum + each, 0), placed: total }); // prettier-ignore
    for (const { on, deed } of deeds) {
      if (deed.what === 'amended') {
        add(life, on, { amended: deed.total - total });
        total = deed.total;
      }
      if (deed.what === 'captured') add(life, on, { captured: deed.amount, net: deed.amount });
      if (deed.what === 'refunded') add(life, on, { refunded: deed.amount, net: -deed.amount });
    }
  }
  return rows;
}

/** Every row of the view after the events, by tenant and key, as the law names them. */
function projected(events: readonly RecordedEvent[]): ReadonlyMap<string, DailySales> {
  const rows = new Map<string, DailySales>();
  for (const change of events.flatMap((event) => dailySales.changes(event))) {
    const place = `${change.tenantId} ${change.key}`;
    const next = change.update(rows.get(place) ?? null);
    if (next !== null) rows.set(place, next);
  }
  return rows;
}

function sums(rows: ReadonlyMap<string, DailySales>): ReadonlyMap<string, Row> {
  return new Map([...rows].map(([place, { day: _, currency: __, ...row }]) => [place, row]));
}

/** All orders' events side by side, each order's in its order. */
function interleaved(streams: readonly (readonly RecordedEvent[])[], turns: readonly number[]): RecordedEvent[] {
  const left = streams.map((events) => [...events]);
  const all: RecordedEvent[] = [];
  for (let turn = 0; left.some((events) => events.length > 0); turn += 1) {
    const open = left.filter((events) => events.length > 0);
    const next = open[(turns[turn % turns.length] ?? 0) % open.length]?.shift();
    if (next !== undefined) all.push(next);
  }
  return all;
}

const turns = fc.array(fc.nat(20), { minLength: 1, maxLength: 30 });
const sorted = <Value>(rows: ReadonlyMap<string, Value>) => [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
const streamsOf = (lives: readonly Life[]) => lives.map((life, index) => eventsOf(life, anOrderId(`law-${index}`)));

describe('sales by day, for any lives of any orders', () => {
  it('are what their placements, amendments, captures and refunds add up to; cancelling and expiring adds nothing', () => {
    fc.assert(
      fc.property(anyLives, turns, (lives, order) => {
        const events = interleaved(streamsOf(lives), order);
        const expected = addedUp(lives);
        // A deed that adds nothing makes no row; one that adds 0 may.
        const shown = sums(projected(events));
        expect(sorted(shown)).toEqual(sorted(expected));
      }),
      { numRuns: 300 },
    );
  });

  it('come to the totals of the orders as they are now, over all days: placed and what was amended since', () => {
    fc.assert(
      fc.property(anyLives, turns, (lives, order) => {
        const rows = [...projected(interleaved(streamsOf(lives), order)).values()];
        for (const currency of ['EUR', 'BRL']) {
          const own = rows.filter((row) => row.currency === currency);
          const now = lives
            .filter((life) => life.currency === currency)
            .map(({ placed, deeds }) => {
              const last = deeds.findLast(({ deed }) => deed.what === 'amended')?.deed;
              return last?.what === 'amended' ? last.total : placed.deed.total;
            });
          const total = own.reduce((sum, row) => sum + row.placed + row.amended, 0);
          expect(total).toBe(now.reduce((sum, each) => sum + each, 0));
        }
      }),
      { numRuns: 300 },
    );
  });
});
