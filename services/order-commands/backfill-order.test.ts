import { describe, expect, it } from 'vitest';
import type { BackfillOrder, HistoricalFact, OrderInput } from '../../schemas/commands.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { isPaid } from './order.ts';
import {
  currency,
  given,
  orderId,
  orderInput,
  orderLines,
  paymentId,
  placed,
  placeOrder,
  secondPaymentId,
  shipmentId,
} from './order.examples.ts';
import { eventsOf, foldAll } from '../../test/given.ts';
import { orderDecider } from './order-decider.ts';

const t = (day: number) => `2018-01-0${day}T00:00:00-02:00`;
const shipment = { orderId, shipmentId, providerId: `backfill-${shipmentId}` };

function backfill(facts: readonly HistoricalFact[], changes: Partial<OrderInput> = {}): BackfillOrder {
  const order = { ...orderInput, occurredAt: t(1), ...changes };
  return { type: 'BackfillOrder', orderId, tenantId: 'default', order, facts };
}

function paid(id: string, amount: number): readonly OrderEvent[] {
  const data = { orderId, paymentId: id, providerId: `backfill-${id}`, amount, currency };
  return [
    { type: 'PaymentAuthorized', data },
    { type: 'PaymentCaptured', data },
  ];
}

describe('backfilling an order', () => {
  it('keeps what happened as events of one decision, in the given order, each with its time', () => {
    const [authorized, captured] = paid(paymentId, 2000) as [OrderEvent, OrderEvent];
    given()
      .when(
        backfill([
          { kind: 'delivered', occurredAt: t(5) },
          { kind: 'paid', payment: 0, occurredAt: t(2) },
          { kind: 'shipped', occurredAt: null },
          { kind: 'refunded', payment: 0, amount: 700, occurredAt: t(7) },
          { kind: 'cancelled', occurredAt: t(8) },
        ]),
      )
      .thenDecided(
        { event: placed, occurredAt: t(1) },
        { event: { type: 'ShipmentDelivered', data: shipment }, occurredAt: t(5) },
        { event: authorized, occurredAt: t(2) },
        { event: captured, occurredAt: t(2) },
        { event: { type: 'ShipmentDispatched', data: { ...shipment, lines: orderLines } }, occurredAt: null },
        {
          event: { type: 'PaymentRefunded', data: { ...captured.data, amount: 700, refundId: null } } as OrderEvent,
          occurredAt: t(7),
        },
        { event: { type: 'OrderCancelled', data: { orderId, reason: 'cancelled' } }, occurredAt: t(8) },
      );
  });

  it('has no sum rule, and takes amounts of 0 and partial addresses', () => {
    const payments = [
      { method: 'card', amount: 0 },
      { method: 'voucher', amount: 77 },
    ];
    const facts: readonly HistoricalFact[] = [
      { kind: 'paid', payment: 1, occurredAt: null },
      { kind: 'paid', payment: 0, occurredAt: null },
    ];
    const { decision } = given().when(backfill(facts, { payments, shippingAddress: { city: 'Here' } }));
    expect(eventsOf(decision).slice(1)).toEqual([...paid(secondPaymentId, 77), ...paid(paymentId, 0)]);
  });

  it('takes an order without lines', () => {
    const facts: readonly HistoricalFact[] = [{ kind: 'cancelled', reason: 'unavailable', occurredAt: null }];
    const order = { lines: [], shippingFee: 0, discount: 0, payments: [{ method: 'card', amount: 500 }] };
    const { decision } = given().when(backfill(facts, order));
    expect(eventsOf(decision)).toMatchObject([
      { data: { lines: [], totals: { total: 0 }, payments: [{ amount: 500 }] } },
      { type: 'OrderCancelled', data: { reason: 'unavailable' } },
    ]);
  });

  it('says that nobody knows when, where no time is given', () => {
    const { occurredAt: _, ...order } = backfill([]).order;
    const { decision } = given().when({ ...backfill([]), order });
    expect(decision).toMatchObject({ outcome: 'accepted', events: [{ occurredAt: null }] });
  });

  it('counts as paid once its facts cover the total', () => {
    const state = foldAll(
      orderDecider,
      eventsOf(given().when(backfill([{ kind: 'paid', payment: 0, occurredAt: null }])).decision),
    );
    expect(state.status !== 'Unplaced' && isPaid(state)).toBe(true);
  });

  it('is refused for an order that exists', () => {
    given(placed).when(backfill([])).thenRejected('ORDER_ALREADY_EXISTS');
    given(...eventsOf(given().when(backfill([])).decision))
      .when(placeOrder())
      .thenRejected('ORDER_ALREADY_EXISTS');
  });

  it.each<[string, readonly HistoricalFact[], RegExp]>([
    ['a payment that is not there', [{ kind: 'paid', payment: 1, occurredAt: null }], /^\/facts\/0\/payment: /],
    ['half a payment', [{ kind: 'paid', payment: 0.5, occurredAt: null }], /^\/facts\/0\/payment: /],
    ['a payment before the first', [{ kind: 'paid', payment: -1, occurredAt: null }], /^\/facts\/0\/payment: /],
    [
      'a payment paid twice',
      [
        { kind: 'paid', payment: 0, occurredAt: t(1) },
        { kind: 'paid', payment: 0, occurredAt: t(2) },
      ],
      /^\/facts\/1\/kind: paid twice/,
    ],
    [
      'a second shipping',
      [
        { kind: 'shipped', occurredAt: t(1) },
        { kind: 'shipped', occurredAt: t(2) },
      ],
      /^\/facts\/1\/kind: shipped twice/,
    ],
    [
      'a refund of what was not paid',
      [{ kind: 'refunded', payment: 0, amount: 1, occurredAt: null }],
      /^\/facts\/0\/amount: /,
    ],
    [
      'a refund above what was paid',
      [
        { kind: 'paid', payment: 0, occurredAt: null },
        { kind: 'refunded', payment: 0, amount: 2001, occurredAt: null },
      ],
      /^\/facts\/1\/amount: /,
    ],
    [
      'a refund below 0',
      [
        { kind: 'paid', payment: 0, occurredAt: null },
        { kind: 'refunded', payment: 0, amount: -1, occurredAt: null },
      ],
      /^\/facts\/1\/amount: /,
    ],
    ['a time that is none', [{ kind: 'shipped', occurredAt: 'monday' }], /^\/facts\/0\/occurredAt: /],
    ['a time in 1 BC', [{ kind: 'shipped', occurredAt: '0001-01-01T00:00:00+14:00' }], /^\/facts\/0\/occurredAt: /],
  ])('is refused as INVALID_VALUE, with the place: %s', (_, facts, detail) => {
    given().when(backfill(facts)).thenRejected('INVALID_VALUE', detail);
  });

  it('still needs a total that is an amount, and values that are possible', () => {
    given()
      .when(backfill([], { discount: 9999 }))
      .thenRejected('TOTAL_MISMATCH', /-7949/);
    given()
      .when(backfill([], { currency: 'XXX' }))
      .thenRejected('INVALID_VALUE', /^\/currency/);
  });
});
