import type { FulfillmentEvent } from '../../schemas/generated/events.ts';
import { isPaidLater } from '../../schemas/payment-methods.ts';
import { type Direction, type Saga, type SagaState } from './saga-state.ts';

/** The way of an order. Every step before `dispatch` can be undone; `dispatch` begins with the order's own pivot. */
export const stepNames = ['risk', 'reserve', 'authorize', 'book', 'capture', 'dispatch', 'deliver'] as const;

/** Why the saga itself ends an order; any other reason came from the order, which knows it already. */
const ownReasons: readonly string[] = ['risk_rejected', 'out_of_stock', 'payment_failed', 'shipping_failed'];

/**
 * What follows at a boundary, where no attempt is pending: the next attempt, the turn, or the end. It goes into the
 * same append as what led there. Empty where an attempt is pending, where the saga waits for the order, or ended.
 */
export function advance(state: SagaState): readonly FulfillmentEvent[] {
  if (state.status === 'Unstarted' || state.pending !== null) return [];
  switch (state.status) {
    case 'Running':
      return forward(state);
    case 'Compensating':
      return backward(state);
    case 'Compensated':
      // A slip that was paid after the end obliges a refund.
      return state.done.length > 0 ? turnBack(state, state.reason ?? 'cancelled') : [];
    case 'Completed':
    case 'Quarantined':
      return [];
  }
}

/** The step that a payment made later stands for: it succeeds when the order tells so, and its undo is a refund. */
export function collectStep(paymentId: string): string {
  return `collect:${paymentId}`;
}

export function isDone(saga: Saga, step: string): boolean {
  return saga.done.some((each) => each.step === step);
}

function forward(saga: Saga): readonly FulfillmentEvent[] {
  const reason = reasonToTurn(saga);
  if (reason !== null) return turnBack(saga, reason);
  const isUnpaid = !isDone(saga, 'capture');
  if (saga.isExpiryDue && isUnpaid && saga.answers['expire-order'] === undefined)
    return [attempt(saga, 'expire-order')];
  const next = wayOf(saga).find((step) => !isDone(saga, step));
  if (next === undefined) return [{ type: 'FulfillmentCompleted', data: { orderId: saga.order.orderId } }];
  if (next === 'authorize' && isWaitingForPayment(saga)) return [];
  return [attempt(saga, next)];
}

/** An amended order is assessed and reserved for once more, as what it is now, before it is paid. */
function wayOf({ amendedTo }: Saga): readonly string[] {
  if (amendedTo === 0) return stepNames;
  const paidFrom = stepNames.indexOf('authorize');
  const again = [`risk:${amendedTo}`, `reserve:${amendedTo}`];
  return [...stepNames.slice(0, paidFrom), ...again, ...stepNames.slice(paidFrom)];
}

function backward(saga: Saga): readonly FulfillmentEvent[] {
  const { orderId } = saga.order;
  const reason = saga.reason ?? 'cancelled';
  if (ownReasons.includes(reason) && saga.answers['cancel-order'] === undefined) return [attempt(saga, 'cancel-order')];
  const last = saga.done.at(-1);
  if (last === undefined) return [{ type: 'FulfillmentCompensated', data: { orderId, reason } }];
  return [attempt(saga, last.step, { undoes: last.attempt })];
}

function turnBack(saga: Saga, reason: string): readonly FulfillmentEvent[] {
  const { orderId } = saga.order;
  return [
    { type: 'CompensationBegun', data: { orderId, reason } },
    ...Object.keys(saga.timers).map((timerId) => ({ type: 'TimerCancelled', data: { orderId, timerId } }) as const),
  ];
}

/** Null: go on. Once dispatched there is no way back, and the order refuses a cancel by then. */
function reasonToTurn(saga: Saga): string | null {
  if (isDone(saga, 'dispatch')) return null;
  if (saga.refusal !== null) return reasonOfRefusal(saga.refusal);
  const expiry = saga.answers['expire-order'];
  if (saga.signal === 'expired' || expiry === 'accepted') return 'payment_expired';
  if (expiry === 'ORDER_CANCELLED') return 'cancelled';
  return saga.signal;
}

function reasonOfRefusal({ step, code }: NonNullable<Saga['refusal']>): string {
  if (code === 'ORDER_CANCELLED') return 'cancelled';
  if (step === 'risk' || step.startsWith('risk:')) return 'risk_rejected';
  if (step === 'reserve' || step.startsWith('reserve:')) return 'out_of_stock';
  if (step === 'book') return 'shipping_failed';
  return 'payment_failed';
}

function isWaitingForPayment(saga: Saga): boolean {
  // Nobody pays a slip of 0, and nobody waits for it.
  return saga.order.payments.some(
    (payment) => isPaidLater(payment) && payment.amount > 0 && !isDone(saga, collectStep(payment.paymentId)),
  );
}

function attempt(saga: Saga, step: string, undo?: { readonly undoes: number }): FulfillmentEvent {
  const { orderId } = saga.order;
  const direction: Direction = undo === undefined ? 'run' : 'undo';
  const number = (saga.attempts[`${step}/${direction}`] ?? 0) + 1;
  const effectKey =
    undo === undefined ? `${orderId}/${step}/${number}` : `${orderId}/${step}/${undo.undoes}/undo/${number}`;
  return { type: 'StepAttempted', data: { orderId, step, direction, attempt: number, effectKey } };
}
