import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyEvent, RecordedEvent } from '../../schemas/envelope.ts';
import { anOrderId, anyHistory, otherTenant, paymentFact, placement, recorded, tenant } from '../examples.ts';
import { dailySales } from './projection.ts';
import { noSales, type DailySales } from './sales.ts';

const orderId = anOrderId('one');

/** Every row after the events, by tenant and key. */
function fold(events: readonly RecordedEvent[]): ReadonlyMap<string, DailySales> {
  const rows = new Map<string, DailySales>();
  for (const change of events.flatMap((event) => dailySales.changes(event))) {
    const place = `${change.tenantId} ${change.key}`;
    const next = change.update(rows.get(place) ?? null);
    if (next !== null) rows.set(place, next);
  }
  return rows;
}

function refunded(amount: number): AnyEvent {
  const data = { orderId, refundId: null, paymentId: 'p1', providerId: 'x', amount, currency: 'EUR' };
  return { type: 'PaymentRefunded', data };
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

describe('sales by day', () => {
  it('add up what was placed, captured and refunded, each on the day when it happened', () => {
    const rows = fold([
      ...recorded([placement(orderId)], { occurredAt: '2026-01-01T23:59:59.999Z' }),
      ...recorded([placement(anOrderId('two'))], { occurredAt: '2026-01-01T00:00:00.000Z' }),
      ...recorded([paymentFact('PaymentCaptured', orderId)], { occurredAt: '2026-01-02T00:00:00.000Z' }),
      ...recorded([refunded(700)], { occurredAt: '2026-01-02T10:00:00.000Z' }),
    ]);
    expect(Object.fromEntries(rows)).toEqual({
      'shop 2026-01-01/EUR': { ...noSales('2026-01-01', 'EUR'), orders: 2, units: 6, placed: 5_000 },
      'shop 2026-01-02/EUR': { ...noSales('2026-01-02', 'EUR'), captured: 2_500, refunded: 700, net: 1_800 },
    });
  });

  it('are kept apart by tenant and currency', () => {
    const rows = fold([
      ...recorded([placement(orderId)]),
      ...recorded([placement(orderId)], { tenantId: otherTenant }),
      ...recorded([placement(anOrderId('two'), { currency: 'BRL' })]),
    ]);
    expect([...rows.keys()]).toEqual([
      `${tenant} 2026-01-01/EUR`,
      `${otherTenant} 2026-01-01/EUR`,
      `${tenant} 2026-01-01/BRL`,
    ]);
  });

  it('take the recorded time of a live fact without its own, and no day for history without one', () => {
    const recordedAt = '2026-05-01T00:00:00.000Z';
    const days = (origin: 'live' | 'backfill'): readonly string[] =>
      [...fold(recorded([placement(orderId)], { origin, occurredAt: null, recordedAt })).values()].map(
        ({ day }) => day,
      );
    expect([days('live'), days('backfill')]).toEqual([['2026-05-01'], ['unknown']]);
  });

  it('stay safe integers on a day that no shop has', () => {
    const most = paymentFact('PaymentCaptured', orderId, { amount: Number.MAX_SAFE_INTEGER });
    const [row] = fold(recorded([most, most, refunded(1)])).values();
    expect([row?.captured, row?.net]).toEqual([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1]);
  });

  it('count every fact of any history once, whatever the order: all rows together are the sums over its events', () => {
    fc.assert(
      fc.property(anyHistory, (given) => {
        const events = recorded(given);
        const rows = [...fold(events).values()];
        const amounts = (type: string): number =>
          sum(given.map((event) => (event.type === type && 'amount' in event.data ? event.data.amount : 0)));
        const placements = given.flatMap((event) => (event.type === 'OrderPlaced' ? [event.data.totals.total] : []));
        expect(sum(rows.map(({ orders }) => orders))).toBe(placements.length);
        expect(sum(rows.map(({ placed }) => placed))).toBe(sum(placements));
        expect(sum(rows.map(({ captured }) => captured))).toBe(amounts('PaymentCaptured'));
        expect(sum(rows.map(({ refunded: back }) => back))).toBe(amounts('PaymentRefunded'));
        for (const row of rows) expect(row.net).toBe(row.captured - row.refunded);
      }),
    );
  });
});
