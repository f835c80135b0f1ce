import type { OrderInput, PaymentInput } from '../../schemas/commands.ts';
import type { Decided, Rejection } from '../../schemas/decision.ts';
import type { OrderEvent, OrderPlacedData } from '../../schemas/generated/events.ts';
import { derivedId, type OrderId } from '../../schemas/ids.ts';
import { isIsoTime } from '../../schemas/iso-time.ts';
import { isCurrency } from '../../schemas/money.ts';
import type { PersonalData } from '../../schemas/personal-data.ts';
import { amountRange, chargesProblem, firstProblem, isAmount, lineOf, totalsOf } from './pricing.ts';

/** Keeps an order's state and the events of one decision small: a backfill makes up to three events a payment. */
export const paymentsMax = 100;
/** contract.md: "up to 50 strings". */
export const metadataMax = 50;

/** An OrderPlaced in the making: every number checked and summed. */
export type OrderDraft = Omit<OrderPlacedData, 'orderId' | 'sealed'> & {
  readonly orderId: OrderId;
  readonly sealed: null;
};

/**
 * Lines, payments and totals of an order, priced. Whether the payments must add up is the caller's rule: history need not.
 * @returns INVALID_VALUE, or TOTAL_MISMATCH where the total is no amount
 */
export function draftOrder(orderId: OrderId, order: OrderInput): OrderDraft | Rejection {
  const problem = problemOf(order);
  if (problem !== null) return { code: 'INVALID_VALUE', detail: problem };
  const totals = totalsOf(order);
  if (typeof totals === 'string') return { code: 'TOTAL_MISMATCH', detail: totals };
  return {
    orderId,
    reference: order.reference ?? null,
    customerId: order.customerId,
    currency: order.currency,
    lines: order.lines.map((line, index) => lineOf(line, String(index + 1))),
    totals,
    payments: order.payments.map(({ method, amount }, index) => ({
      paymentId: derivedId(orderId, `payment/${index + 1}`),
      method,
      amount: amount ?? totals.total,
    })),
    metadata: order.metadata ?? {},
    sealed: null,
  };
}

/** The decided event: the store seals `personal` and lets nobody else take the reference. */
export function placement(
  command: { readonly tenantId: string; readonly order: OrderInput },
  draft: OrderDraft,
): Decided<OrderEvent> {
  const { tenantId, order } = command;
  const personal = personalDataOf(tenantId, order);
  return {
    event: { type: 'OrderPlaced', data: draft },
    ...(order.occurredAt === undefined ? {} : { occurredAt: order.occurredAt }),
    ...(personal === null ? {} : { personal }),
    ...(order.reference === undefined ? {} : { claim: `reference:${order.reference}` }),
  };
}

/** All of one customer under one subject: forgetting him forgets what was amended as well. */
export function personalDataOf(
  tenantId: string,
  order: Pick<OrderInput, 'customerId' | 'shippingAddress' | 'email'>,
): PersonalData | null {
  const { shippingAddress, email } = order;
  if (shippingAddress === undefined && email === undefined) return null;
  return {
    subject: `${tenantId}~${order.customerId}`,
    value: {
      ...(shippingAddress === undefined ? {} : { shippingAddress }),
      ...(email === undefined ? {} : { email }),
    },
  };
}

/** As `chargesProblem` tells it. */
function problemOf(order: OrderInput): string | null {
  const { reference, currency, occurredAt, payments } = order;
  if (reference === '') return '/reference: not empty';
  if (order.customerId === '') return '/customerId: not empty';
  if (!isCurrency(currency)) return '/currency: an active ISO 4217 code';
  if (occurredAt !== undefined && !isIsoTime(occurredAt)) return '/occurredAt: an RFC 3339 time';
  if (Object.keys(order.metadata ?? {}).length > metadataMax) return `/metadata: at most ${metadataMax} strings`;
  if (payments.length > paymentsMax) return `/payments: at most ${paymentsMax}`;
  return chargesProblem(order) ?? firstProblem(payments, paymentProblem(payments.length));
}

function paymentProblem(count: number) {
  return ({ method, amount }: PaymentInput, index: number): string | null => {
    const pointer = `/payments/${index}`;
    if (method === '') return `${pointer}/method: not empty`;
    if (amount === undefined) return count === 1 ? null : `${pointer}/amount: needed where there are several payments`;
    return isAmount(amount) ? null : `${pointer}/amount: ${amountRange}`;
  };
}
