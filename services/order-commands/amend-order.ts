import type { AmendmentInput, AmendOrder } from '../../schemas/commands.ts';
import { canonicalJson } from '../../schemas/canonical-json.ts';
import { accept, reject, type Decision, type Rejection } from '../../schemas/decision.ts';
import type { OrderAmendedData, OrderEvent } from '../../schemas/generated/events.ts';
import { isPaidLater } from '../../schemas/payment-methods.ts';
import { capturedOf, isPaid, isShipped, whereParcelsAre, type OrderState, type PlacedOrder } from './order.ts';
import type { Payment } from './payment.ts';
import { personalDataOf } from './placement.ts';
import { amountRange, chargesProblem, firstProblem, isAmount, lineOf, paymentsProblem, totalsOf } from './pricing.ts';

/** What an amendment leaves: the order's lines, totals and planned payments from now on. */
type Plan = Pick<OrderAmendedData, 'lines' | 'totals' | 'payments'>;

/**
 * Changes lines, charges, planned payments or the address, while no payment has begun. What is not named stays; totals
 * are summed anew. An amendment to what is there already adds nothing; an address always does, for the one before is
 * sealed and cannot be compared.
 * Rejects with ORDER_NOT_FOUND, ORDER_CANCELLED, ORDER_ALREADY_SHIPPED, ORDER_PAID, ORDER_PAYMENT_BEGUN, INVALID_VALUE,
 * TOTAL_MISMATCH.
 */
export function amendOrder(command: AmendOrder, state: OrderState): Decision<OrderEvent> {
  const { orderId, tenantId, amendment } = command;
  if (state.status === 'Unplaced') return reject('ORDER_NOT_FOUND', orderId);
  const obstacle = obstacleOf(state);
  if (obstacle !== null) return { outcome: 'rejected', rejection: obstacle };
  const before = currentPlan(state);
  const plan = touchesMoney(amendment) ? amendedPlan(amendment, state) : before;
  if ('code' in plan) return { outcome: 'rejected', rejection: plan };
  // Imported history may never have added up; then an amendment must say how it does from now on.
  const mismatch = paymentsProblem(plan.payments, plan.totals.total);
  if (mismatch !== null) return reject('TOTAL_MISMATCH', mismatch);
  const { shippingAddress } = amendment;
  const { customerId, currency, totals } = state;
  const personal = shippingAddress === undefined ? null : personalDataOf(tenantId, { customerId, shippingAddress });
  if (personal === null && canonicalJson(plan) === canonicalJson(before)) return accept();
  const event: OrderEvent = {
    type: 'OrderAmended',
    data: { orderId, currency, ...plan, previousTotal: totals.total, sealed: null },
  };
  return accept(personal === null ? event : { event, personal });
}

/** Why nothing of it can change any more; null: all may. */
function obstacleOf(order: PlacedOrder): Rejection | null {
  switch (order.status) {
    case 'Cancelled':
      return { code: 'ORDER_CANCELLED', detail: 'it ended before' };
    case 'Expired':
      return { code: 'ORDER_CANCELLED', detail: 'it was not paid in time' };
    case 'Dispatching':
      return { code: 'ORDER_ALREADY_SHIPPED', detail: whereParcelsAre(order) };
    case 'Open':
      if (isShipped(order)) return { code: 'ORDER_ALREADY_SHIPPED', detail: whereParcelsAre(order) };
      return paymentObstacle(order);
  }
}

function paymentObstacle(order: PlacedOrder): Rejection | null {
  const captured = capturedOf(order);
  if (captured > 0 || isPaid(order)) {
    return { code: 'ORDER_PAID', detail: `${captured} of ${order.totals.total} is captured` };
  }
  for (const payment of order.payments) {
    const begun = beginningOf(payment);
    if (begun === null) continue;
    const { paymentId, method } = payment;
    return { code: 'ORDER_PAYMENT_BEGUN', detail: `payment ${paymentId} by ${method} ${begun}` };
  }
  return null;
}

/** What says that a payment has begun; null: it has not. */
function beginningOf(payment: Payment): string | null {
  if (payment.unanswered !== null) return `waits for an answer to ${payment.unanswered}`;
  if (payment.status !== 'Pending') return `is ${payment.status.toLowerCase()}`;
  return isPaidLater(payment) ? null : 'is authorized from the placement on';
}

function touchesMoney({ lines, shippingFee, discount, payments }: AmendmentInput): boolean {
  return [lines, shippingFee, discount, payments].some((given) => given !== undefined);
}

function currentPlan({ lines, totals, payments }: PlacedOrder): Plan {
  return { lines, totals, payments: payments.map(({ paymentId, method, amount }) => ({ paymentId, method, amount })) };
}

function amendedPlan(amendment: AmendmentInput, order: PlacedOrder): Plan | Rejection {
  const { shippingFee = order.totals.shipping, discount = order.totals.discount } = amendment;
  const problem =
    chargesProblem({ lines: amendment.lines ?? [], shippingFee, discount }) ??
    linesProblem(amendment, order) ??
    firstProblem(amendment.payments ?? [], paymentProblem(amendment, order));
  if (problem !== null) return { code: 'INVALID_VALUE', detail: problem };
  const lines = amendedLines(amendment, order);
  const totals = totalsOf({ lines, shippingFee, discount });
  if (typeof totals === 'string') return { code: 'TOTAL_MISMATCH', detail: totals };
  return { lines, totals, payments: amendedPayments(amendment, order, totals.total) };
}

function linesProblem({ lines }: AmendmentInput, order: PlacedOrder): string | null {
  if (lines === undefined) return null;
  if (lines.length === 0) return '/lines: at least one line';
  const skus = new Map(order.lines.map(({ lineId, sku }) => [lineId, sku]));
  return firstProblem(lines, ({ lineId, sku }, index) => {
    if (lineId === undefined) return null;
    const known = skus.get(lineId);
    if (known === undefined) return `/lines/${index}/lineId: a line of this order; leave it out for a new one`;
    if (lines.findIndex((line) => line.lineId === lineId) !== index) return `/lines/${index}/lineId: each line once`;
    // Who follows a line by its id must not find other goods under it.
    return known === sku ? null : `/lines/${index}/sku: that of the line; leave lineId out for other goods`;
  });
}

function amendedLines({ lines }: AmendmentInput, order: PlacedOrder): Plan['lines'] {
  if (lines === undefined) return order.lines;
  let given = order.lineIdsGiven;
  return lines.map(({ lineId, ...line }) => {
    if (lineId !== undefined) return lineOf(line, lineId);
    given += 1;
    return lineOf(line, String(given));
  });
}

function paymentProblem({ payments = [] }: AmendmentInput, order: PlacedOrder) {
  return ({ paymentId, amount }: { readonly paymentId: string; readonly amount: number }, index: number) => {
    const pointer = `/payments/${index}`;
    if (!order.payments.some((payment) => payment.paymentId === paymentId))
      return `${pointer}/paymentId: a payment of this order`;
    if (payments.findIndex((payment) => payment.paymentId === paymentId) !== index)
      return `${pointer}/paymentId: each payment once`;
    return isAmount(amount) ? null : `${pointer}/amount: ${amountRange}`;
  };
}

/** One payment alone pays the whole; of several, the caller says which pays what. */
function amendedPayments({ payments }: AmendmentInput, order: PlacedOrder, total: number): Plan['payments'] {
  const amounts = new Map(payments?.map(({ paymentId, amount }) => [paymentId, amount]));
  const followsTotal = payments === undefined && order.payments.length === 1;
  return order.payments.map(({ paymentId, method, amount }) => ({
    paymentId,
    method,
    amount: followsTotal ? total : (amounts.get(paymentId) ?? amount),
  }));
}
