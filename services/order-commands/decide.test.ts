import { describe, expect, it } from 'vitest';
import type { OrderCommand, RequestRefund } from '../../schemas/commands.ts';
import {
  authorized,
  booked,
  cancelled,
  captured,
  currency,
  delivered,
  dispatchBegun,
  dispatched,
  expired,
  facts,
  given,
  moneyEvent,
  orderId,
  paymentId,
  placed,
  refunded,
  shipment,
} from './order.examples.ts';

const cancel: OrderCommand = { type: 'CancelOrder', orderId, reason: 'changed my mind' };
const expire: OrderCommand = { type: 'ExpireOrder', orderId };
const beginDispatch: OrderCommand = { type: 'BeginDispatch', orderId };

function requestRefund(amount: number, refundId = 'refund-1'): RequestRefund {
  return { type: 'RequestRefund', orderId, refundId, paymentId, amount, reason: 'damaged' };
}

describe('an order that was never placed', () => {
  it.each([cancel, expire, beginDispatch, requestRefund(1), ...Object.values(facts)])(
    'does not know $type',
    (command) => {
      given().when(command).thenRejected('ORDER_NOT_FOUND');
    },
  );
});

describe('cancelling', () => {
  it('ends an open order, paid or not, booked or not', () => {
    given(placed).when(cancel).then(cancelled);
    given(placed, authorized, booked, captured).when(cancel).then(cancelled);
  });

  it('adds nothing where it was cancelled or expired before', () => {
    given(placed, cancelled).when({ type: 'CancelOrder', orderId, reason: 'twice' }).thenNothing();
    given(placed, expired).when(cancel).thenNothing();
  });

  it('is refused once dispatch has begun, or anything has left the building', () => {
    given(placed, captured, dispatchBegun).when(cancel).thenRejected('ORDER_ALREADY_SHIPPED');
    given(placed, dispatched).when(cancel).thenRejected('ORDER_ALREADY_SHIPPED');
    given(placed, delivered).when(cancel).thenRejected('ORDER_ALREADY_SHIPPED');
    given(placed, dispatched, { type: 'ShipmentFailed', data: { ...shipment, code: 'LOST' } })
      .when(cancel)
      .thenRejected('ORDER_ALREADY_SHIPPED');
  });

  it('is possible where the shipment failed or was cancelled before it left', () => {
    given(placed, booked, { type: 'ShipmentFailed', data: { ...shipment, code: 'NO_CARRIER' } })
      .when(cancel)
      .then(cancelled);
    given(placed, booked, { type: 'ShipmentCancelled', data: shipment }).when(cancel).then(cancelled);
  });
});

describe('expiring', () => {
  it('ends an order that is not paid', () => {
    given(placed).when(expire).then(expired);
    given(placed, authorized).when(expire).then(expired);
    given(placed, moneyEvent('PaymentCaptured', 1999)).when(expire).then(expired);
  });

  it('is refused for a paid order', () => {
    given(placed, captured).when(expire).thenRejected('ORDER_PAID');
    given(placed, moneyEvent('PaymentCaptured', 1200, 'a'), moneyEvent('PaymentCaptured', 800, 'b'))
      .when(expire)
      .thenRejected('ORDER_PAID');
  });

  it('is refused once anything has left, paid or not', () => {
    given(placed, dispatchBegun).when(expire).thenRejected('ORDER_ALREADY_SHIPPED');
    given(placed, dispatched).when(expire).thenRejected('ORDER_ALREADY_SHIPPED');
  });

  it('adds nothing where it expired or was cancelled before', () => {
    given(placed, expired).when(expire).thenNothing();
    given(placed, cancelled, captured).when(expire).thenNothing();
  });
});

describe('beginning dispatch', () => {
  it('is the point of no return of a paid order, once', () => {
    given(placed, authorized, captured).when(beginDispatch).then(dispatchBegun);
    given(placed, authorized, captured, dispatchBegun).when(beginDispatch).thenNothing();
  });

  it('is refused until captures cover the total', () => {
    given(placed, authorized).when(beginDispatch).thenRejected('ORDER_NOT_PAID');
    given(placed, moneyEvent('PaymentCaptured', 1999)).when(beginDispatch).thenRejected('ORDER_NOT_PAID');
  });

  it('is refused for an order that ended, though it was paid', () => {
    given(placed, captured, cancelled).when(beginDispatch).thenRejected('ORDER_CANCELLED');
    given(placed, expired, captured).when(beginDispatch).thenRejected('ORDER_CANCELLED');
  });
});

describe('requesting a refund', () => {
  it('reserves an amount of what was captured, also after a cancellation', () => {
    const { reason, ...request } = { reason: 'damaged', orderId, paymentId, refundId: 'refund-1', amount: 2000 };
    given(placed, captured, cancelled)
      .when(requestRefund(2000))
      .then({ type: 'RefundRequested', data: { ...request, currency, reason } });
  });

  const pending = {
    type: 'RefundRequested',
    data: { orderId, refundId: 'r', paymentId, amount: 1500, currency, reason: '' },
  } as const;
  const failed = {
    type: 'RefundFailed',
    data: { orderId, paymentId, refundId: 'r', providerId: 'p', code: 'NO' },
  } as const;

  it('takes no more than captured - refunded - pending', () => {
    given(placed, authorized)
      .when(requestRefund(1))
      .thenRejected('REFUND_EXCEEDS_CAPTURED', /1 asked, 0 can/);
    given(placed, captured, refunded(600)).when(requestRefund(1401)).thenRejected('REFUND_EXCEEDS_CAPTURED', /1400/);
    given(placed, captured, pending).when(requestRefund(501)).thenRejected('REFUND_EXCEEDS_CAPTURED', /500/);
    given(placed, captured, pending, refunded(1500, 'r'))
      .when(requestRefund(501))
      .thenRejected('REFUND_EXCEEDS_CAPTURED', /500/);
    expect(given(placed, captured, pending).when(requestRefund(500)).decision.outcome).toBe('accepted');
  });

  it('may take again what the provider did not pay back', () => {
    const { decision } = given(placed, captured, pending, failed).when(requestRefund(2000));
    expect(decision).toMatchObject({ outcome: 'accepted', events: [{ event: { data: { amount: 2000 } } }] });
  });

  it('counts a refund that came true after its no', () => {
    given(placed, captured, pending, failed, refunded(1500, 'r'))
      .when(requestRefund(501))
      .thenRejected('REFUND_EXCEEDS_CAPTURED');
  });

  it('adds nothing for a refund id that is known, whatever became of it', () => {
    given(placed, captured, pending).when(requestRefund(100, 'r')).thenNothing();
    given(placed, captured, pending, failed).when(requestRefund(100, 'r')).thenNothing();
  });

  it('needs a payment of this order and an amount', () => {
    given(placed, captured)
      .when({ ...requestRefund(1), paymentId: 'foreign' })
      .thenRejected('INVALID_VALUE', /^\/paymentId/);
    for (const amount of [0, -1, 1.5, NaN])
      given(placed, captured)
        .when(requestRefund(amount))
        .thenRejected('INVALID_VALUE', /^\/amount/);
  });
});
