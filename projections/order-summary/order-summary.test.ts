import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../schemas/canonical-json.ts';
import type { AnyEvent, Origin } from '../../schemas/envelope.ts';
import {
  amendment,
  anOrderId,
  anyHistory,
  booked,
  delivered,
  dispatched,
  paymentFact,
  placement,
  recorded,
  tenant,
} from '../examples.ts';
import { foldDocument } from '../projection.ts';
import { summaryBody } from './body.ts';
import { orderSummary } from './projection.ts';
import type { OrderSummary } from './summary.ts';

const orderId = anOrderId('order');
const place = placement(orderId);
const authorized = paymentFact('PaymentAuthorized', orderId);
const captured = paymentFact('PaymentCaptured', orderId);
const refundRequested: AnyEvent = {
  type: 'RefundRequested',
  data: { orderId, refundId: 'r1', paymentId: 'p1', amount: 500, currency: 'EUR', reason: 'broken' },
};
const refunded: AnyEvent = {
  type: 'PaymentRefunded',
  data: { orderId, refundId: 'r1', paymentId: 'p1', providerId: 'x', amount: 500, currency: 'EUR' },
};

function fold(
  events: readonly AnyEvent[],
  options: { origin?: Origin; occurredAt?: string | null } = {},
): OrderSummary {
  const summary = foldDocument(orderSummary, recorded(events, options), { key: orderId, document: null });
  if (summary === null) throw new Error('no summary');
  return summary;
}

function words(...events: readonly AnyEvent[]): readonly string[] {
  const { status, payment, fulfillment } = fold([place, ...events]);
  return [status, payment.status, fulfillment.status];
}

describe('order-summary', () => {
  it('shows a placed order with its totals, times and version', () => {
    const summary = fold([place], { occurredAt: '2025-12-31T10:00:00.000Z' });
    expect(summary).toMatchObject({ orderId, tenantId: tenant, status: 'placed', version: 1, cancelReason: null });
    expect(summary).toMatchObject({ totals: { total: 2_500 }, origin: 'live' });
    expect([summary.placedAt, summary.updatedAt]).toEqual(['2025-12-31T10:00:00.000Z', '2026-01-01T12:00:00.000Z']);
  });

  it('takes the recorded time as the placement where nobody knows when it happened', () => {
    expect(fold([place], { occurredAt: null }).placedAt).toBe('2026-01-01T12:00:00.000Z');
  });

  it('holds nothing of what is sealed', () => {
    expect(JSON.stringify(fold([place, captured]))).not.toMatch(/sealed|c2VhbGVk|key-1/);
  });

  it.each([
    ['nothing was paid', [], ['placed', 'pending', 'unfulfilled']],
    ['the amount is held', [authorized], ['placed', 'authorized', 'unfulfilled']],
    ['the captures cover the total', [authorized, captured], ['paid', 'captured', 'unfulfilled']],
    [
      'a part is captured',
      [paymentFact('PaymentCaptured', orderId, { amount: 1 })],
      ['placed', 'captured', 'unfulfilled'],
    ],
    [
      'the hold was given back',
      [authorized, paymentFact('PaymentVoided', orderId)],
      ['placed', 'voided', 'unfulfilled'],
    ],
    ['a shipment is booked', [captured, booked(orderId)], ['paid', 'captured', 'booked']],
    ['all is dispatched', [captured, booked(orderId), dispatched(orderId)], ['shipped', 'captured', 'shipped']],
    ['all is delivered', [captured, dispatched(orderId), delivered(orderId)], ['delivered', 'captured', 'delivered']],
    [
      'it was delivered and nobody saw it leave',
      [captured, delivered(orderId)],
      ['delivered', 'captured', 'delivered'],
    ],
    ['a part was refunded', [captured, refundRequested, refunded], ['paid', 'partially_refunded', 'unfulfilled']],
  ] as const)('says where the order is when %s', (_, events, expected) => {
    expect(words(...events)).toEqual(expected);
  });

  it('is partially shipped until every line is on its way', () => {
    const some = [{ lineId: 'l1', quantity: 1 }];
    const rest = [
      { lineId: 'l1', quantity: 1 },
      { lineId: 'l2', quantity: 1 },
    ];
    const first = [captured, booked(orderId, 's1', some), dispatched(orderId, 's1', some)];
    expect(words(...first)).toEqual(['paid', 'captured', 'partially_shipped']);
    expect(words(...first, dispatched(orderId, 's2', rest))).toEqual(['shipped', 'captured', 'shipped']);
  });

  it('stays cancelled with the first reason, whatever facts come late', () => {
    const cancelled: AnyEvent = { type: 'OrderCancelled', data: { orderId, reason: 'changed my mind' } };
    const expired: AnyEvent = { type: 'OrderExpired', data: { orderId, reason: 'payment_expired' } };
    const summary = fold([place, cancelled, captured, expired]);
    expect([summary.status, summary.cancelReason, summary.payment.captured]).toEqual([
      'cancelled',
      'changed my mind',
      2_500,
    ]);
  });

  it('shows lines, totals and planned payments as last amended, and is paid by what covers the new total', () => {
    const summary = fold([place, amendment(orderId)]);
    expect(summary).toMatchObject({
      ...{ version: 2, status: 'placed', totals: { discount: 200, total: 2_800 } },
      lines: [{ lineId: 'l1', quantity: 3 }],
      payment: { status: 'pending', authorized: 0, items: [{ paymentId: 'p1', amount: 2_800, captured: 0 }] },
    });
    expect(words(amendment(orderId), captured)).toEqual(['placed', 'captured', 'unfulfilled']);
    const whole = paymentFact('PaymentCaptured', orderId, { amount: 2_800 });
    expect(words(amendment(orderId), whole)).toEqual(['paid', 'captured', 'unfulfilled']);
  });

  it('reserves a requested refund until it is paid back or refused', () => {
    const failed: AnyEvent = {
      type: 'RefundFailed',
      data: { orderId, refundId: 'r1', paymentId: 'p1', providerId: 'x', code: 'no' },
    };
    expect(fold([place, captured, refundRequested]).payment.refundPending).toBe(500);
    expect(fold([place, captured, refundRequested, failed]).payment).toMatchObject({ refundPending: 0, refunded: 0 });
    expect(fold([place, captured, refundRequested, refunded]).payment).toMatchObject({
      refundPending: 0,
      refunded: 500,
    });
  });

  it('calls a backfilled order paid when all its payments are, though they are less than its lines', () => {
    const cheap = placement(orderId, { payments: [{ paymentId: 'p1', method: 'card', amount: 2_400 }] });
    const paid = paymentFact('PaymentCaptured', orderId, { amount: 2_400 });
    expect(fold([cheap, paid], { origin: 'backfill' }).status).toBe('paid');
    expect(fold([cheap, paid]).status).toBe('placed');
  });

  it('leaves a backfilled order without lines placed until a payment of it is captured', () => {
    const nothing = { subtotal: 0, discount: 0, shipping: 0, tax: 0, total: 0 };
    const empty = placement(orderId, { lines: [], totals: nothing });
    expect(fold([empty], { origin: 'backfill' }).status).toBe('placed');
    expect(fold([empty, captured], { origin: 'backfill' }).status).toBe('paid');
  });

  it('changes nothing by an event of an order that is not there', () => {
    expect(foldDocument(orderSummary, recorded([captured]), { key: orderId, document: null })).toBeNull();
  });

  it('folds any history, and its version is always the last revision + 1', () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const events = recorded(
          history.filter((event) => 'orderId' in event.data && event.data.orderId === anOrderId('one')),
        );
        for (const event of events) orderSummary.changes(event);
        const summary = foldDocument(orderSummary, events, { key: anOrderId('one'), document: null });
        const last = events.filter(({ stream }) => stream.startsWith('order-')).at(-1);
        if (summary !== null) expect(summary.version).toBe((last?.revision ?? 0) + 1);
      }),
    );
  });

  it('has one text for one version, whatever order a store gave its members', () => {
    const summary = fold([
      placement(orderId, { metadata: { b: '2', a: '1' } }),
      captured,
      booked(orderId),
      refundRequested,
    ]);
    const shuffled = JSON.parse(canonicalJson(summary)) as OrderSummary;
    expect(summaryBody(shuffled)).toBe(summaryBody(summary));
    expect(canonicalJson(JSON.parse(summaryBody(summary)))).toBe(canonicalJson(summary));
  });
});
