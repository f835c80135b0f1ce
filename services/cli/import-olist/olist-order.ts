import type { HistoricalFact, OrderInput, OrderLineInput, PaymentInput } from '../../../schemas/commands.ts';
import { sum } from '../../../schemas/money.ts';
import { toCents } from './cents.ts';
import { instantInSaoPaulo } from './sao-paulo.ts';

/** Rows of the Olist files, as texts by column; an empty text is a missing value. */
export type OlistRow = Readonly<Record<string, string>>;

/** One order with the rows of the other files that belong to it. */
export type OlistOrder = {
  readonly order: OlistRow;
  readonly items: readonly OlistRow[];
  readonly payments: readonly OlistRow[];
  readonly customer: OlistRow;
};

/** The body of `POST /v1/orders/backfill`. */
export type BackfillBody = OrderInput & { readonly facts: readonly HistoricalFact[] };

export type OrderStatus = 'placed' | 'paid' | 'shipped' | 'delivered' | 'cancelled';

/** What is compared of an order: as the files have it, and as its view says. Money in centavos. */
export type OrderFigures = {
  readonly reference: string;
  readonly customerId: string;
  readonly status: OrderStatus;
  readonly lines: number;
  readonly total: number;
  readonly freight: number;
  readonly captured: number;
  readonly refunded: number;
};

/** A row of the files that cannot be read as what its column holds. */
export class UnreadableRow extends Error {}

/** The Idempotency-Key of the import of one order. */
export function commandIdOf(orderId: string): string {
  return `olist-${orderId}`;
}

/**
 * Translates one order as contract.md, "Import of real order history", says. Facts are listed by what happened, not by
 * their clocks; a time that nobody wrote down is null.
 * @throws UnreadableRow
 */
export function toBackfill(olist: OlistOrder): BackfillBody {
  const { order, items, payments, customer } = olist;
  const inOrder = sortedBy(payments, 'payment_sequential').map(toPayment);
  return {
    reference: text(order, 'order_id'),
    customerId: text(customer, 'customer_unique_id'),
    currency: 'BRL',
    lines: sortedBy(items, 'order_item_id').map(toLine),
    shippingFee: freightOf(olist),
    shippingAddress: {
      city: text(customer, 'customer_city'),
      region: text(customer, 'customer_state'),
      postalCode: text(customer, 'customer_zip_code_prefix'),
    },
    payments: inOrder,
    occurredAt: placedAt(order),
    facts: factsOf(order, inOrder),
  };
}

/** @throws UnreadableRow */
export function toFigures(body: BackfillBody): OrderFigures {
  const { reference = '', customerId, lines, shippingFee: freight = 0, facts } = body;
  const total = totalOf(lines.map(({ unitPrice }) => unitPrice)) + freight;
  const captured = totalOf(
    facts.map((fact) => (fact.kind === 'paid' ? (body.payments[fact.payment]?.amount ?? 0) : 0)),
  );
  const refunded = totalOf(facts.map((fact) => (fact.kind === 'refunded' ? fact.amount : 0)));
  const happened = new Set(facts.map(({ kind }) => kind));
  const unsent = happened.has('paid') ? 'paid' : 'placed';
  const sent = happened.has('delivered') ? 'delivered' : happened.has('shipped') ? 'shipped' : unsent;
  const status = happened.has('cancelled') ? 'cancelled' : sent;
  return { reference, customerId, status, lines: lines.length, total, freight, captured, refunded };
}

function factsOf(order: OlistRow, payments: readonly PaidLater[]): readonly HistoricalFact[] {
  const approvedAt = time(order, 'order_approved_at');
  const shippedAt = time(order, 'order_delivered_carrier_date');
  const deliveredAt = time(order, 'order_delivered_customer_date');
  const status = text(order, 'order_status');
  const wasDelivered = status === 'delivered' || deliveredAt !== null;
  const wasShipped = wasDelivered || status === 'shipped' || shippedAt !== null;
  const facts: HistoricalFact[] = [];
  if (approvedAt !== null) {
    facts.push(...payments.map((_, payment): HistoricalFact => ({ kind: 'paid', occurredAt: approvedAt, payment })));
  }
  if (wasShipped) facts.push({ kind: 'shipped', occurredAt: shippedAt });
  if (wasDelivered) facts.push({ kind: 'delivered', occurredAt: deliveredAt });
  if (!cancelledStatuses.has(status)) return facts;
  facts.push(status === 'unavailable' ? { kind: 'cancelled', occurredAt: null, reason: 'unavailable' } : cancelled);
  if (approvedAt !== null) facts.push(...payments.flatMap(toRefund));
  return facts;
}

type PaidLater = PaymentInput & { readonly amount: number };

const cancelledStatuses: ReadonlySet<string> = new Set(['canceled', 'unavailable']);
const cancelled: HistoricalFact = { kind: 'cancelled', occurredAt: null };

/** Nothing was given back of a payment of nothing. */
function toRefund({ amount }: PaidLater, payment: number): readonly HistoricalFact[] {
  return amount === 0 ? [] : [{ kind: 'refunded', occurredAt: null, payment, amount }];
}

const methods: Readonly<Record<string, string>> = { credit_card: 'card', debit_card: 'card', boleto: 'bank_slip' };

function toPayment(row: OlistRow): PaidLater {
  const type = text(row, 'payment_type');
  return { method: methods[type] ?? type, amount: cents(row, 'payment_value') };
}

function toLine(row: OlistRow): OrderLineInput {
  return { sku: text(row, 'product_id'), quantity: 1, unitPrice: cents(row, 'price') };
}

function freightOf({ items }: OlistOrder): number {
  return totalOf(items.map((row) => cents(row, 'freight_value')));
}

function placedAt(order: OlistRow): string {
  return time(order, 'order_purchase_timestamp') ?? unreadable(order, 'order_purchase_timestamp');
}

function sortedBy(rows: readonly OlistRow[], column: string): readonly OlistRow[] {
  return rows.toSorted((a, b) => Number(a[column]) - Number(b[column]));
}

function text(row: OlistRow, column: string): string {
  const value = row[column] ?? '';
  return value === '' ? unreadable(row, column) : value;
}

function time(row: OlistRow, column: string): string | null {
  const value = row[column] ?? '';
  return value === '' ? null : (instantInSaoPaulo(value) ?? unreadable(row, column));
}

function cents(row: OlistRow, column: string): number {
  return toCents(row[column] ?? '') ?? unreadable(row, column);
}

function totalOf(amounts: readonly number[]): number {
  const total = sum(amounts);
  if (total === null) throw new UnreadableRow('amounts add up to more than an integer can hold');
  return total;
}

function unreadable(row: OlistRow, column: string): never {
  const of = row.order_id ?? row.customer_id ?? '';
  throw new UnreadableRow(`${column} of ${of} is ${JSON.stringify(row[column] ?? null)}`);
}
