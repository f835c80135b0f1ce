import { describe, expect, it } from 'vitest';
import type { OrderFact } from '../../schemas/commands.ts';
import { isValidEvent } from '../../schemas/event-codec.ts';
import { eventsOf, foldAll, historyOf } from '../../test/given.ts';
import { orderDecider } from './order-decider.ts';
import {
  authorized,
  booked,
  cancelled,
  captured,
  currency,
  delivered,
  dispatched,
  dispatchBegun,
  expired,
  facts,
  given,
  moneyEvent,
  orderId,
  orderLines,
  paymentId,
  placed,
  placeOrder,
  refunded,
  shipment,
} from './order.examples.ts';

const everyFact: readonly OrderFact[] = Object.values(facts);
const histories = [
  [placed],
  [placed, authorized, captured],
  [placed, authorized, booked, captured, dispatchBegun, dispatched, delivered],
  [placed, cancelled],
  [placed, expired],
  [placed, captured, refunded(2000), cancelled],
];

describe('a fact', () => {
  it.each(everyFact)('is recorded in every state of the order, and once: $type', (fact) => {
    for (const history of histories) {
      const events = eventsOf(given(...history).when(fact).decision);
      for (const { type, data } of events) expect(isValidEvent(type, data)).toBe(true);
      given(...history, ...events)
        .when(fact)
        .thenNothing();
      const known = history.some(
        ({ type, data }) =>
          `Record${type}` === fact.type && 'providerId' in data && data.providerId === fact.providerId,
      );
      if (!known) expect(events.at(-1)?.type).toBe(fact.type.replace('Record', ''));
    }
  });

  it.each(everyFact)('is another fact under another provider id: $type', (fact) => {
    const once = eventsOf(given(placed).when(fact).decision);
    expect(eventsOf(given(placed, ...once).when({ ...fact, providerId: 'another' }).decision)).not.toEqual([]);
  });

  it('is another fact of another kind under the same provider id', () => {
    const ofPayment = everyFact.filter(({ type }) => /Payment|Refund/.test(type));
    const ofShipment = everyFact.filter(({ type }) => type.includes('Shipment'));
    for (const sameId of [ofPayment, ofShipment]) {
      const types = historyOf(orderDecider, [placeOrder(), ...sameId]).map(({ type }) => `Record${type}`);
      expect(types).toEqual(['RecordOrderPlaced', ...sameId.map(({ type }) => type)]);
    }
  });

  it('is another fact for another payment or shipment', () => {
    const twoPayments = {
      ...placed,
      data: {
        ...placed.data,
        payments: [paymentId, 'second'].map((id) => ({ paymentId: id, method: 'card', amount: 1000 })),
      },
    } as typeof placed;
    const of = (id: string) => ({ ...facts.RecordPaymentAuthorized, paymentId: id });
    const once = eventsOf(given(twoPayments).when(of(paymentId)).decision);
    expect(eventsOf(given(twoPayments, ...once).when(of('second')).decision)).toHaveLength(1);
    expect(
      eventsOf(given(placed, dispatched).when({ ...facts.RecordShipmentDispatched, shipmentId: 'second' }).decision),
    ).toHaveLength(1);
  });

  it('keeps its own time', () => {
    given(placed, authorized)
      .when({ ...facts.RecordPaymentCaptured, occurredAt: '2026-01-02T03:04:05Z' })
      .thenDecided({ event: moneyEvent('PaymentCaptured', 2000, 'provider-1'), occurredAt: '2026-01-02T03:04:05Z' });
    given(placed)
      .when({ ...facts.RecordShipmentDelivered, occurredAt: '2026-01-02T03:04:05Z' })
      .thenDecided({ event: delivered, occurredAt: '2026-01-02T03:04:05Z' });
  });

  it('cannot be of another payment or currency, nor no amount', () => {
    const capture = facts.RecordPaymentCaptured;
    given(placed)
      .when({ ...capture, paymentId: 'foreign' })
      .thenRejected('INVALID_VALUE', /^\/paymentId/);
    given(placed)
      .when({ ...capture, currency: 'USD' })
      .thenRejected('INVALID_VALUE', /^\/currency/);
    for (const amount of [-1, 0.5, NaN, 2 ** 53])
      given(placed)
        .when({ ...capture, amount })
        .thenRejected('INVALID_VALUE', /^\/amount/);
    given(placed, captured)
      .when({ ...capture, amount: Number.MAX_SAFE_INTEGER })
      .thenRejected('INVALID_VALUE', /^\/amount/);
  });

  it.each(['now', '0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-12:00'])(
    'cannot have happened at %s',
    (occurredAt) => {
      for (const fact of [facts.RecordPaymentCaptured, facts.RecordShipmentFailed])
        given(placed)
          .when({ ...fact, occurredAt })
          .thenRejected('INVALID_VALUE', /^\/occurredAt/);
    },
  );
});

describe('a capture', () => {
  const capture = { ...facts.RecordPaymentCaptured, providerId: 'slip-1' };

  it('brings the authorization that nobody told: a bank slip has no other', () => {
    given(placed)
      .when(capture)
      .then(moneyEvent('PaymentAuthorized', 2000, 'slip-1'), moneyEvent('PaymentCaptured', 2000, 'slip-1'));
  });

  it('brings only what is missing of it', () => {
    given(placed, moneyEvent('PaymentAuthorized', 1500))
      .when(capture)
      .then(moneyEvent('PaymentAuthorized', 500, 'slip-1'), moneyEvent('PaymentCaptured', 2000, 'slip-1'));
    given(placed, authorized)
      .when(capture)
      .then(moneyEvent('PaymentCaptured', 2000, 'slip-1'));
  });

  it('is covered by an authorization that was voided', () => {
    given(placed, authorized, moneyEvent('PaymentVoided'))
      .when(capture)
      .then(moneyEvent('PaymentCaptured', 2000, 'slip-1'));
  });

  it('after a cancellation is recorded: it obliges a refund', () => {
    given(placed, authorized, cancelled)
      .when(capture)
      .then(moneyEvent('PaymentCaptured', 2000, 'slip-1'));
  });

  it('heals the order of facts where its refund was told first', () => {
    const early = eventsOf(given(placed).when({ ...facts.RecordPaymentRefunded, amount: 500 }).decision);
    expect(early).toEqual([refunded(500, null, 'provider-1')]);
    const state = foldAll(orderDecider, [
      placed,
      ...early,
      ...eventsOf(given(placed, ...early).when(capture).decision),
    ]);
    expect(state).toMatchObject({
      payments: [{ status: 'Captured', authorized: 2000, captured: 2000, refunded: 500 }],
    });
  });
});

describe('a payment', () => {
  const failed = { type: 'PaymentFailed', data: { orderId, paymentId, providerId: 'f', code: 'DECLINED' } } as const;
  const unknown = {
    type: 'PaymentOutcomeUnknown',
    data: { orderId, paymentId, providerId: 'u', operation: 'capture' },
  } as const;

  it.each([
    ['pending', [], { status: 'Pending' }],
    ['authorized', [authorized], { status: 'Authorized', authorized: 2000 }],
    ['failed', [failed], { status: 'Failed', authorized: 0, code: 'DECLINED' }],
    ['authorized by a second attempt', [failed, authorized], { status: 'Authorized', authorized: 2000 }],
    ['voided', [authorized, moneyEvent('PaymentVoided')], { status: 'Voided', authorized: 2000 }],
    ['captured', [authorized, captured], { status: 'Captured', captured: 2000, refunded: 0 }],
    [
      'captured, whatever fails or is voided later',
      [authorized, captured, failed, moneyEvent('PaymentVoided')],
      { status: 'Captured', captured: 2000 },
    ],
    [
      'captured, though its authorization is told late',
      [captured, authorized],
      { status: 'Captured', authorized: 2000 },
    ],
    ['refunded', [authorized, captured, refunded(300)], { status: 'Captured', captured: 2000, refunded: 300 }],
    ['unanswered', [authorized, unknown], { status: 'Authorized', unanswered: 'capture' }],
    ['answered', [authorized, unknown, captured], { status: 'Captured', unanswered: null }],
  ])('is %s', (_, events, payment) => {
    expect(given(placed, ...events).state).toMatchObject({ payments: [{ paymentId, ...payment }] });
  });
});

describe('a shipment', () => {
  it('leaves with the lines of its booking', () => {
    given(placed, booked)
      .when(facts.RecordShipmentDispatched)
      .then({ type: 'ShipmentDispatched', data: { ...shipment, lines: [{ lineId: '1', quantity: 2 }] } });
  });

  it('leaves with all that no other shipment holds, where its booking is not told yet', () => {
    given(placed).when(facts.RecordShipmentDispatched).then(dispatched);
    given(placed, booked)
      .when({ ...facts.RecordShipmentDispatched, shipmentId: 'second' })
      .then({
        type: 'ShipmentDispatched',
        data: { ...shipment, shipmentId: 'second', lines: [{ lineId: '2', quantity: 1 }] },
      });
    given(placed, booked, { type: 'ShipmentCancelled', data: shipment })
      .when({ ...facts.RecordShipmentDispatched, shipmentId: 'second' })
      .then({ type: 'ShipmentDispatched', data: { ...shipment, shipmentId: 'second', lines: orderLines } });
  });

  const shipmentFailed = { type: 'ShipmentFailed', data: { ...shipment, code: 'LOST' } } as const;
  const shipmentCancelled = { type: 'ShipmentCancelled', data: shipment } as const;

  it.each([
    ['booked', [booked], { status: 'Booked', lines: [{ lineId: '1', quantity: 2 }] }],
    ['cancelled', [booked, shipmentCancelled], { status: 'Cancelled' }],
    ['dispatched', [booked, dispatched], { status: 'Dispatched' }],
    ['delivered', [booked, dispatched, delivered], { status: 'Delivered' }],
    [
      'delivered, though its dispatch is told late',
      [delivered, dispatched],
      { status: 'Delivered', lines: orderLines },
    ],
    ['dispatched, though its booking is told late', [dispatched, booked], { status: 'Dispatched' }],
    ['dispatched, though it was cancelled too late', [booked, dispatched, shipmentCancelled], { status: 'Dispatched' }],
    ['failed on the way', [booked, dispatched, shipmentFailed], { status: 'Failed', dispatched: true }],
    ['failed before it left', [booked, shipmentFailed], { status: 'Failed', dispatched: false }],
    ['delivered after it failed', [booked, dispatched, shipmentFailed, delivered], { status: 'Delivered' }],
  ])('is %s', (_, events, expected) => {
    const { state } = given(placed, ...events);
    expect(state).toMatchObject({ shipments: [expected] });
  });

  it('is one of several', () => {
    const second = { type: 'ShipmentDelivered', data: { ...shipment, shipmentId: 'second' } } as const;
    expect(given(placed, booked, second, dispatched).state).toMatchObject({
      currency,
      shipments: [{ status: 'Dispatched' }, { shipmentId: 'second', status: 'Delivered' }],
    });
  });
});
