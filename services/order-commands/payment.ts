import { unreachable } from '../../schemas/decision.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';

export type Refund = {
  readonly refundId: string;
  /** Minor units; reserved while the refund is pending. */
  readonly amount: number;
  readonly status: 'Pending' | 'Refunded' | 'Failed';
};

/**
 * One payment of an order: a small machine of its own, so that an order may have several. Amounts are minor units of
 * the order's currency; an authorization counts for ever, also once it is voided.
 */
export type Payment = PaymentIdentity &
  (
    | { readonly status: 'Pending' }
    | { readonly status: 'Authorized' | 'Voided'; readonly authorized: number }
    | { readonly status: 'Failed'; readonly authorized: number; readonly code: string }
    | ({ readonly status: 'Captured' } & PaymentMoney)
  );

type PaymentIdentity = {
  readonly paymentId: string;
  readonly method: string;
  /** What the customer shall pay here. */
  readonly amount: number;
  /** What the provider was asked and did not answer; null where nothing is open. */
  readonly unanswered: string | null;
  /** (kind, providerId) of each fact folded: what makes a repeat a repeat. Only ids, never more than facts. */
  readonly facts: readonly string[];
};

export type PaymentMoney = {
  readonly authorized: number;
  readonly captured: number;
  readonly refunded: number;
  readonly refunds: readonly Refund[];
};

export type PaymentEvent = Extract<
  OrderEvent,
  {
    readonly type:
      | 'PaymentAuthorized'
      | 'PaymentCaptured'
      | 'PaymentVoided'
      | 'PaymentFailed'
      | 'PaymentOutcomeUnknown'
      | 'PaymentRefunded'
      | 'RefundRequested'
      | 'RefundFailed';
  }
>;
export type PaymentFactEvent = Exclude<PaymentEvent, { readonly type: 'RefundRequested' }>;

export function pendingPayment(entry: {
  readonly paymentId: string;
  readonly method: string;
  readonly amount: number;
}): Payment {
  const { paymentId, method, amount } = entry;
  return { paymentId, method, amount, unanswered: null, facts: [], status: 'Pending' };
}

/** Other amounts planned for the same payments: what happened to them stays. */
export function replannedPayments(
  payments: readonly Payment[],
  planned: readonly { readonly paymentId: string; readonly amount: number }[],
): readonly Payment[] {
  const amounts = new Map(planned.map(({ paymentId, amount }) => [paymentId, amount]));
  return payments.map((payment) => ({ ...payment, amount: amounts.get(payment.paymentId) ?? payment.amount }));
}

/** An event of a payment that the order does not have changes nothing. */
export function evolvePayments(payments: readonly Payment[], event: PaymentEvent): readonly Payment[] {
  return payments.map((payment) =>
    payment.paymentId === event.data.paymentId ? evolvePayment(payment, event) : payment,
  );
}

/** Whether this fact was folded before, whatever command brought it. */
export function isKnownPaymentFact(payment: Payment, event: PaymentFactEvent): boolean {
  return payment.facts.includes(factOf(event));
}

export function moneyOf(payment: Payment): PaymentMoney {
  const nothing = { authorized: 0, captured: 0, refunded: 0, refunds: [] };
  switch (payment.status) {
    case 'Pending':
      return nothing;
    case 'Authorized':
    case 'Voided':
    case 'Failed':
      return { ...nothing, authorized: payment.authorized };
    case 'Captured': {
      const { authorized, captured, refunded, refunds } = payment;
      return { authorized, captured, refunded, refunds };
    }
  }
}

/** captured − refunded − pending: what a request may still give back. */
export function refundableOf(payment: Payment): number {
  const { captured, refunded, refunds } = moneyOf(payment);
  const pending = refunds.filter((refund) => refund.status === 'Pending');
  return captured - refunded - pending.reduce((total, refund) => total + refund.amount, 0);
}

function evolvePayment(payment: Payment, event: PaymentEvent): Payment {
  const money = moneyOf(payment);
  const identity = identityAfter(payment, event);
  switch (event.type) {
    case 'PaymentAuthorized': {
      const authorized = money.authorized + event.data.amount;
      return payment.status === 'Captured'
        ? { ...identity, ...money, status: 'Captured', authorized }
        : { ...identity, status: 'Authorized', authorized };
    }
    case 'PaymentCaptured':
      return { ...identity, ...money, status: 'Captured', captured: money.captured + event.data.amount };
    case 'PaymentVoided':
      return payment.status === 'Captured'
        ? { ...payment, ...identity }
        : { ...identity, status: 'Voided', authorized: money.authorized };
    case 'PaymentFailed':
      return payment.status === 'Captured'
        ? { ...payment, ...identity }
        : { ...identity, status: 'Failed', authorized: money.authorized, code: event.data.code };
    case 'PaymentOutcomeUnknown':
      return { ...payment, ...identity };
    case 'RefundRequested':
    case 'PaymentRefunded':
    case 'RefundFailed':
      return { ...identity, ...refundedMoney(money, event), status: 'Captured' };
    default:
      return unreachable(event);
  }
}

type RefundEvent = Extract<PaymentEvent, { readonly type: 'RefundRequested' | 'PaymentRefunded' | 'RefundFailed' }>;

/** The provider's no does not take back a refund that it paid; its payment comes true even after its no. */
function refundedMoney(money: PaymentMoney, event: RefundEvent): PaymentMoney {
  switch (event.type) {
    case 'RefundRequested': {
      const { refundId, amount } = event.data;
      return { ...money, refunds: [...money.refunds, { refundId, amount, status: 'Pending' }] };
    }
    case 'PaymentRefunded':
      return {
        ...money,
        refunded: money.refunded + event.data.amount,
        refunds: money.refunds.map((refund) =>
          refund.refundId === event.data.refundId ? { ...refund, status: 'Refunded' } : refund,
        ),
      };
    case 'RefundFailed':
      return {
        ...money,
        refunds: money.refunds.map((refund) =>
          refund.refundId === event.data.refundId && refund.status === 'Pending'
            ? { ...refund, status: 'Failed' }
            : refund,
        ),
      };
    default:
      return unreachable(event);
  }
}

function identityAfter(payment: Payment, event: PaymentEvent): PaymentIdentity {
  const { paymentId, method, amount, facts, unanswered } = payment;
  if (event.type === 'RefundRequested') return { paymentId, method, amount, facts, unanswered };
  return {
    paymentId,
    method,
    amount,
    unanswered: event.type === 'PaymentOutcomeUnknown' ? event.data.operation : null,
    facts: [...facts, factOf(event)],
  };
}

function factOf(event: PaymentFactEvent): string {
  return `${event.type} ${event.data.providerId}`;
}
