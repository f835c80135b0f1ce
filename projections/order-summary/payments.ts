import type { PaymentStatus, SummaryPayment, SummaryRefund } from './summary.ts';

export type Money = { readonly items: readonly SummaryPayment[]; readonly refunds: readonly SummaryRefund[] };

export type PaymentStep = (payment: SummaryPayment) => SummaryPayment;

/** Changes one payment; a fact about a payment that was never planned adds it, for facts are never refused. */
export function changePayment(money: Money, paymentId: string, step: PaymentStep): Money {
  const known = money.items.some((item) => item.paymentId === paymentId);
  const items = known ? money.items : [...money.items, unplanned(paymentId)];
  return { ...money, items: items.map((item) => (item.paymentId === paymentId ? step(item) : item)) };
}

export function authorize(amount: number): PaymentStep {
  return (payment) => ({
    ...payment,
    authorized: payment.authorized + amount,
    status: isCaptured(payment) ? payment.status : 'authorized',
  });
}

export function capture(amount: number): PaymentStep {
  return (payment) => settled({ ...payment, captured: payment.captured + amount });
}

export function refund(amount: number): PaymentStep {
  return (payment) => settled({ ...payment, refunded: payment.refunded + amount });
}

/** Money that was taken stays taken, whatever a later failure or void says. */
export function end(status: 'failed' | 'voided'): PaymentStep {
  return (payment) => (isCaptured(payment) ? payment : { ...payment, status });
}

/** What the amounts say of a payment that was captured. */
export function settled(payment: SummaryPayment): SummaryPayment {
  if (payment.refunded === 0) return { ...payment, status: 'captured' };
  return { ...payment, status: payment.refunded >= payment.captured ? 'refunded' : 'partially_refunded' };
}

/** The payments as one word: refunds first, then the least settled of them. */
export function paymentStatus(items: readonly SummaryPayment[]): PaymentStatus {
  const refunded = total(items, 'refunded');
  if (refunded > 0) return refunded >= total(items, 'captured') ? 'refunded' : 'partially_refunded';
  return leastSettled.find((status) => items.some((item) => item.status === status)) ?? 'pending';
}

export function total(items: readonly SummaryPayment[], field: 'authorized' | 'captured' | 'refunded'): number {
  return items.reduce((sum, item) => sum + item[field], 0);
}

const leastSettled: readonly PaymentStatus[] = [
  'unknown',
  'failed',
  'pending',
  'authorized',
  'partially_refunded',
  'refunded',
  'captured',
  'voided',
];

function isCaptured({ status, captured }: SummaryPayment): boolean {
  return captured > 0 || status === 'captured' || status === 'refunded' || status === 'partially_refunded';
}

function unplanned(paymentId: string): SummaryPayment {
  return { paymentId, method: 'unknown', amount: 0, status: 'pending', authorized: 0, captured: 0, refunded: 0 };
}
