import type {
  RecordPaymentAuthorized,
  RecordPaymentCaptured,
  RecordPaymentFailed,
  RecordPaymentOutcomeUnknown,
  RecordPaymentRefunded,
  RecordPaymentVoided,
  RecordRefundFailed,
} from '../../schemas/commands.ts';
import { accept, reject, unreachable, type Decided, type Decision } from '../../schemas/decision.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { isIsoTime } from '../../schemas/iso-time.ts';
import { sum } from '../../schemas/money.ts';
import type { OrderState, PlacedOrder } from './order.ts';
import { isKnownPaymentFact, moneyOf, type Payment, type PaymentFactEvent } from './payment.ts';

type MoneyFact = RecordPaymentAuthorized | RecordPaymentCaptured | RecordPaymentVoided | RecordPaymentRefunded;
export type PaymentFactCommand = MoneyFact | RecordPaymentFailed | RecordRefundFailed | RecordPaymentOutcomeUnknown;

/**
 * Records what the provider says, in any state of the order: a capture after a cancellation happened, and obliges a
 * refund. A fact known under (kind, payment, providerId) adds nothing.
 * Rejects with ORDER_NOT_FOUND, and with INVALID_VALUE what cannot be a fact of this order.
 */
export function recordPaymentFact(command: PaymentFactCommand, state: OrderState): Decision<OrderEvent> {
  if (state.status === 'Unplaced') return reject('ORDER_NOT_FOUND', command.orderId);
  const payment = state.payments.find(({ paymentId }) => paymentId === command.paymentId);
  if (payment === undefined) return reject('INVALID_VALUE', '/paymentId: not a payment of this order');
  const event = eventOf(command);
  if (isKnownPaymentFact(payment, event)) return accept();
  const problem = 'amount' in command ? problemOf(command, state, payment) : null;
  if (problem !== null) return reject('INVALID_VALUE', problem);
  const occurredAt = 'occurredAt' in command ? command.occurredAt : undefined;
  return accept(...withImpliedAuthorization(event, payment).map((fact) => at(fact, occurredAt)));
}

/**
 * Keeps 0 ≤ refunded ≤ captured ≤ authorized (I23) where a fact proves what we were not told: who captured was
 * authorized, so a capture brings the authorization that is missing (a bank slip has no other). Its own fact, should it
 * come later, then counts on top: more authorized than was, which costs nobody.
 *
 * A refund above what is captured breaks I23 until its capture's fact comes, and is recorded as it is: inventing that
 * capture would count money twice for ever.
 */
function withImpliedAuthorization(event: PaymentFactEvent, payment: Payment): readonly PaymentFactEvent[] {
  if (event.type !== 'PaymentCaptured') return [event];
  const { authorized, captured } = moneyOf(payment);
  const missing = captured + event.data.amount - authorized;
  if (missing <= 0 && payment.status !== 'Pending') return [event];
  return [{ type: 'PaymentAuthorized', data: { ...event.data, amount: missing } }, event];
}

function problemOf(command: MoneyFact, order: PlacedOrder, payment: Payment): string | null {
  const { amount, currency, occurredAt } = command;
  if (currency !== order.currency) return `/currency: this order is in ${order.currency}`;
  if (!Number.isSafeInteger(amount) || amount < 0) return '/amount: an integer from 0 to 2^53-1';
  if (occurredAt !== undefined && !isIsoTime(occurredAt)) return '/occurredAt: an RFC 3339 time';
  const { authorized, captured, refunded } = moneyOf(payment);
  const sums = [authorized, captured, refunded].map((before) => sum([before, amount]));
  return sums.includes(null) ? '/amount: with the earlier facts it is above 2^53-1' : null;
}

function at(event: OrderEvent, occurredAt: string | undefined): Decided<OrderEvent> {
  return occurredAt === undefined ? { event } : { event, occurredAt };
}

function eventOf(command: PaymentFactCommand): PaymentFactEvent {
  const { orderId, paymentId, providerId } = command;
  const of = { orderId, paymentId, providerId };
  switch (command.type) {
    case 'RecordPaymentAuthorized':
      return { type: 'PaymentAuthorized', data: { ...of, ...amountOf(command) } };
    case 'RecordPaymentCaptured':
      return { type: 'PaymentCaptured', data: { ...of, ...amountOf(command) } };
    case 'RecordPaymentVoided':
      return { type: 'PaymentVoided', data: { ...of, ...amountOf(command) } };
    case 'RecordPaymentRefunded':
      return { type: 'PaymentRefunded', data: { ...of, ...amountOf(command), refundId: command.refundId } };
    case 'RecordPaymentFailed':
      return { type: 'PaymentFailed', data: { ...of, code: command.code } };
    case 'RecordRefundFailed':
      return { type: 'RefundFailed', data: { ...of, code: command.code, refundId: command.refundId } };
    case 'RecordPaymentOutcomeUnknown':
      return { type: 'PaymentOutcomeUnknown', data: { ...of, operation: command.operation } };
    default:
      return unreachable(command);
  }
}

function amountOf({ amount, currency }: MoneyFact): { readonly amount: number; readonly currency: string } {
  return { amount, currency };
}
