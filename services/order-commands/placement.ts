import type { OrderInput, OrderLineInput, PaymentInput } from '../../schemas/commands.ts';
import type { Decided, Rejection } from '../../schemas/decision.ts';
import type { OrderEvent, OrderPlacedData } from '../../schemas/generated/events.ts';
import { derivedId, parseSku, type OrderId } from '../../schemas/ids.ts';
import { isIsoTime } from '../../schemas/iso-time.ts';
import { isCurrency, sum, times } from '../../schemas/money.ts';
import type { PersonalData } from '../../schemas/personal-data.ts';

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
  if (totals === null) return { code: 'TOTAL_MISMATCH', detail: 'the total is above 2^53-1' };
  if (totals.total < 0) return { code: 'TOTAL_MISMATCH', detail: `the total is ${totals.total}, below 0` };
  return {
    orderId,
    reference: order.reference ?? null,
    customerId: order.customerId,
    currency: order.currency,
    lines: order.lines.map(lineOf),
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

function personalDataOf(tenantId: string, order: OrderInput): PersonalData | null {
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

function lineOf({ sku, quantity, unitPrice, tax, name }: OrderLineInput, index: number): OrderDraft['lines'][number] {
  return { lineId: String(index + 1), sku, quantity, unitPrice, tax: tax ?? 0, name: name ?? null };
}

/** Null where a sum leaves the safe integers. Sums that only pass through them are refused too: nobody orders that. */
function totalsOf(order: OrderInput): OrderDraft['totals'] | null {
  const prices = order.lines.map(({ quantity, unitPrice }) => times(quantity, unitPrice) ?? Infinity);
  const subtotal = sum(prices);
  const tax = sum(order.lines.map((line) => line.tax ?? 0));
  const shipping = order.shippingFee ?? 0;
  const discount = order.discount ?? 0;
  if (subtotal === null || tax === null) return null;
  const total = sum([subtotal, tax, shipping, -discount]);
  return total === null ? null : { subtotal, discount, shipping, tax, total };
}

/** The first impossible value, as `<JSON pointer>: <what it may hold>`; null: all well. The value itself is never told. */
function problemOf(order: OrderInput): string | null {
  const { reference, currency, shippingFee, discount, occurredAt, payments } = order;
  if (reference === '') return '/reference: not empty';
  if (order.customerId === '') return '/customerId: not empty';
  if (!isCurrency(currency)) return '/currency: an active ISO 4217 code';
  if (!isAmount(shippingFee ?? 0)) return `/shippingFee: ${amountRange}`;
  if (!isAmount(discount ?? 0)) return `/discount: ${amountRange}`;
  if (occurredAt !== undefined && !isIsoTime(occurredAt)) return '/occurredAt: an RFC 3339 time';
  if (Object.keys(order.metadata ?? {}).length > metadataMax) return `/metadata: at most ${metadataMax} strings`;
  if (payments.length > paymentsMax) return `/payments: at most ${paymentsMax}`;
  return firstProblem(order.lines, lineProblem) ?? firstProblem(payments, paymentProblem(payments.length));
}

const amountRange = 'an integer from 0 to 2^53-1';

function lineProblem({ sku, quantity, unitPrice, tax }: OrderLineInput, index: number): string | null {
  const pointer = `/lines/${index}`;
  if (parseSku(sku) === null) return `${pointer}/sku: 1 to 128 visible characters`;
  if (!isAmount(quantity) || quantity < 1) return `${pointer}/quantity: an integer from 1 to 2^53-1`;
  if (!isAmount(unitPrice)) return `${pointer}/unitPrice: ${amountRange}`;
  if (!isAmount(tax ?? 0)) return `${pointer}/tax: ${amountRange}`;
  return null;
}

function paymentProblem(count: number) {
  return ({ method, amount }: PaymentInput, index: number): string | null => {
    const pointer = `/payments/${index}`;
    if (method === '') return `${pointer}/method: not empty`;
    if (amount === undefined) return count === 1 ? null : `${pointer}/amount: needed where there are several payments`;
    return isAmount(amount) ? null : `${pointer}/amount: ${amountRange}`;
  };
}

function firstProblem<Item>(
  items: readonly Item[],
  problem: (item: Item, index: number) => string | null,
): string | null {
  for (const [index, item] of items.entries()) {
    const found = problem(item, index);
    if (found !== null) return found;
  }
  return null;
}

function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
