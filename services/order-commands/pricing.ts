import type { OrderLineInput } from '../../schemas/commands.ts';
import type { OrderPlacedData } from '../../schemas/generated/events.ts';
import { parseSku } from '../../schemas/ids.ts';
import { sum, times } from '../../schemas/money.ts';

export type Totals = OrderPlacedData['totals'];
export type OrderLine = OrderPlacedData['lines'][number];

/** What an order costs: the same rules for a placement, a backfill and an amendment. */
export type Charges = {
  readonly lines: readonly Pick<OrderLineInput, 'sku' | 'quantity' | 'unitPrice' | 'tax'>[];
  readonly shippingFee?: number | undefined;
  readonly discount?: number | undefined;
};

export const amountRange = 'an integer from 0 to 2^53-1';

/** The first impossible value, as `<JSON pointer>: <what it may hold>`; null: all well. The value itself is never told. */
export function chargesProblem({ lines, shippingFee, discount }: Charges): string | null {
  if (!isAmount(shippingFee ?? 0)) return `/shippingFee: ${amountRange}`;
  if (!isAmount(discount ?? 0)) return `/discount: ${amountRange}`;
  return firstProblem(lines, lineProblem);
}

/**
 * Sums that leave the safe integers are refused, also where they only pass through them: nobody orders that.
 * @returns why the total is no amount, for a TOTAL_MISMATCH
 */
export function totalsOf({ lines, shippingFee, discount }: Charges): Totals | string {
  const prices = lines.map(({ quantity, unitPrice }) => times(quantity, unitPrice) ?? Infinity);
  const subtotal = sum(prices);
  const tax = sum(lines.map((line) => line.tax ?? 0));
  const shipping = shippingFee ?? 0;
  const total = subtotal === null || tax === null ? null : sum([subtotal, tax, shipping, -(discount ?? 0)]);
  if (subtotal === null || tax === null || total === null) return 'the total is above 2^53-1';
  if (total < 0) return `the total is ${total}, below 0`;
  return { subtotal, discount: discount ?? 0, shipping, tax, total };
}

/** Why the payments do not pay the total, for a TOTAL_MISMATCH; null: they do. */
export function paymentsProblem(payments: readonly { readonly amount: number }[], total: number): string | null {
  const paid = payments.reduce((before, { amount }) => before + BigInt(amount), 0n);
  return paid === BigInt(total) ? null : `the total is ${total}, the payments add up to ${paid}`;
}

export function lineOf({ sku, quantity, unitPrice, tax, name }: OrderLineInput, lineId: string): OrderLine {
  return { lineId, sku, quantity, unitPrice, tax: tax ?? 0, name: name ?? null };
}

export function firstProblem<Item>(
  items: readonly Item[],
  problem: (item: Item, index: number) => string | null,
): string | null {
  for (const [index, item] of items.entries()) {
    const found = problem(item, index);
    if (found !== null) return found;
  }
  return null;
}

export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function lineProblem({ sku, quantity, unitPrice, tax }: Charges['lines'][number], index: number): string | null {
  const pointer = `/lines/${index}`;
  if (parseSku(sku) === null) return `${pointer}/sku: 1 to 128 visible characters`;
  if (!isAmount(quantity) || quantity < 1) return `${pointer}/quantity: an integer from 1 to 2^53-1`;
  if (!isAmount(unitPrice)) return `${pointer}/unitPrice: ${amountRange}`;
  if (!isAmount(tax ?? 0)) return `${pointer}/tax: ${amountRange}`;
  return null;
}
