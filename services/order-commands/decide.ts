import type {
  BeginDispatch,
  CancelOrder,
  ExpireOrder,
  OrderCommand,
  PlaceOrder,
  RequestRefund,
} from '../../schemas/commands.ts';
import { accept, reject, unreachable, type Decision } from '../../schemas/decision.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { amendOrder } from './amend-order.ts';
import { backfillOrder } from './backfill-order.ts';
import { isPaid, isShipped, whereParcelsAre, type OrderState } from './order.ts';
import { recordPaymentFact } from './payment-facts.ts';
import { refundableOf, moneyOf } from './payment.ts';
import { draftOrder, placement } from './placement.ts';
import { paymentsProblem } from './pricing.ts';
import { recordShipmentFact } from './shipment-facts.ts';

/**
 * Every command of an order, one function each. Requests can be refused; facts are recorded, once. The detail of an
 * INVALID_VALUE begins with the JSON pointer of the field.
 */
export function decide(command: OrderCommand, state: OrderState): Decision<OrderEvent> {
  switch (command.type) {
    case 'PlaceOrder':
      return placeOrder(command, state);
    case 'BackfillOrder':
      return backfillOrder(command, state);
    case 'AmendOrder':
      return amendOrder(command, state);
    case 'CancelOrder':
      return cancelOrder(command, state);
    case 'ExpireOrder':
      return expireOrder(command, state);
    case 'BeginDispatch':
      return beginDispatch(command, state);
    case 'RequestRefund':
      return requestRefund(command, state);
    case 'RecordPaymentAuthorized':
    case 'RecordPaymentCaptured':
    case 'RecordPaymentVoided':
    case 'RecordPaymentRefunded':
    case 'RecordPaymentFailed':
    case 'RecordRefundFailed':
    case 'RecordPaymentOutcomeUnknown':
      return recordPaymentFact(command, state);
    case 'RecordShipmentBooked':
    case 'RecordShipmentCancelled':
    case 'RecordShipmentDispatched':
    case 'RecordShipmentDelivered':
    case 'RecordShipmentFailed':
      return recordShipmentFact(command, state);
    default:
      return unreachable(command);
  }
}

/** Rejects with ORDER_ALREADY_EXISTS, INVALID_VALUE, TOTAL_MISMATCH. */
export function placeOrder(command: PlaceOrder, state: OrderState): Decision<OrderEvent> {
  if (state.status !== 'Unplaced') return reject('ORDER_ALREADY_EXISTS', command.orderId);
  const draft = draftOrder(command.orderId, command.order);
  if ('code' in draft) return reject(draft.code, draft.detail);
  if (draft.lines.length === 0) return reject('INVALID_VALUE', '/lines: at least one line');
  const mismatch = paymentsProblem(draft.payments, draft.totals.total);
  if (mismatch !== null) return reject('TOTAL_MISMATCH', mismatch);
  return accept(placement(command, draft));
}

/** Rejects with ORDER_NOT_FOUND, ORDER_ALREADY_SHIPPED. */
export function cancelOrder({ orderId, reason }: CancelOrder, state: OrderState): Decision<OrderEvent> {
  switch (state.status) {
    case 'Unplaced':
      return reject('ORDER_NOT_FOUND', orderId);
    case 'Open':
      if (isShipped(state)) return reject('ORDER_ALREADY_SHIPPED', whereParcelsAre(state));
      return accept({ type: 'OrderCancelled', data: { orderId, reason } });
    case 'Dispatching':
      return reject('ORDER_ALREADY_SHIPPED', whereParcelsAre(state));
    case 'Cancelled':
    case 'Expired':
      return accept();
  }
}

/** Rejects with ORDER_NOT_FOUND, ORDER_PAID, ORDER_ALREADY_SHIPPED. */
export function expireOrder({ orderId }: ExpireOrder, state: OrderState): Decision<OrderEvent> {
  switch (state.status) {
    case 'Unplaced':
      return reject('ORDER_NOT_FOUND', orderId);
    case 'Open':
      if (isPaid(state)) return reject('ORDER_PAID', orderId);
      if (isShipped(state)) return reject('ORDER_ALREADY_SHIPPED', orderId);
      return accept({ type: 'OrderExpired', data: { orderId, reason: 'payment_expired' } });
    case 'Dispatching':
      return reject('ORDER_ALREADY_SHIPPED', orderId);
    case 'Cancelled':
    case 'Expired':
      return accept();
  }
}

/** The saga's pivot: once accepted, the order can no longer be cancelled. Rejects with ORDER_NOT_FOUND, ORDER_CANCELLED, ORDER_NOT_PAID. */
export function beginDispatch({ orderId }: BeginDispatch, state: OrderState): Decision<OrderEvent> {
  switch (state.status) {
    case 'Unplaced':
      return reject('ORDER_NOT_FOUND', orderId);
    case 'Open':
      if (!isPaid(state)) return reject('ORDER_NOT_PAID', orderId);
      return accept({ type: 'DispatchBegun', data: { orderId } });
    case 'Dispatching':
      return accept();
    case 'Cancelled':
    case 'Expired':
      return reject('ORDER_CANCELLED', orderId);
  }
}

/** Reserves an amount for a refund, in any state of the order: what was captured may be owed back. Rejects with ORDER_NOT_FOUND, INVALID_VALUE, REFUND_EXCEEDS_CAPTURED. */
export function requestRefund(command: RequestRefund, state: OrderState): Decision<OrderEvent> {
  const { orderId, refundId, paymentId, amount, reason } = command;
  if (state.status === 'Unplaced') return reject('ORDER_NOT_FOUND', orderId);
  const payment = state.payments.find((candidate) => candidate.paymentId === paymentId);
  if (payment === undefined) return reject('INVALID_VALUE', '/paymentId: not a payment of this order');
  if (moneyOf(payment).refunds.some((refund) => refund.refundId === refundId)) return accept();
  if (!Number.isSafeInteger(amount) || amount < 1) return reject('INVALID_VALUE', '/amount: from 1 to 2^53-1');
  const refundable = refundableOf(payment);
  if (amount > refundable) {
    return reject('REFUND_EXCEEDS_CAPTURED', `${amount} asked, ${refundable} can be refunded`);
  }
  const { currency } = state;
  return accept({ type: 'RefundRequested', data: { orderId, refundId, paymentId, amount, currency, reason } });
}
