import { canonicalJson } from '../../schemas/canonical-json.ts';
import { reject, type Decision } from '../../schemas/decision.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { Filter, ReadStore } from '../../infra/read-store/port.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { toAnswer, toSnapshot, type OrderAnswer } from './answers.ts';
import type { Cursors } from './cursor.ts';
import type { ParkedOrders } from './parked-orders.ts';
import type { ViewLag } from './view-lag.ts';

/** Times are ISO; `placedFrom` is inclusive, `placedTo` exclusive. */
export type OrderFilters = {
  readonly customerId?: string | undefined;
  readonly reference?: string | undefined;
  readonly status?: string | undefined;
  readonly placedFrom?: string | undefined;
  readonly placedTo?: string | undefined;
  readonly sku?: string | undefined;
};

export type PageRequest = {
  /** 1 to 200. */
  readonly limit: number;
  readonly cursor?: string | undefined;
};

export type OrderPage = {
  readonly outcome: 'page';
  readonly items: readonly OrderAnswer[];
  /** null: this was the last page. */
  readonly nextCursor: string | null;
};

export type Refused = Extract<Decision<never>, { readonly outcome: 'rejected' }>;

export type ListSources = {
  readonly readStore: ReadStore;
  readonly cursors: Cursors;
  readonly viewLag: ViewLag;
  readonly parkedOrders: ParkedOrders;
};

export type ListRequest = { readonly tenantId: TenantId; readonly filters: OrderFilters; readonly page: PageRequest };

/** A page of the view, newest first: new orders come before it and move nothing in it. */
export async function listOrders(
  { readStore, cursors, viewLag, parkedOrders }: ListSources,
  { tenantId, filters, page }: ListRequest,
): Promise<OrderPage | Refused> {
  const question = canonicalJson({ tenantId, filters });
  const after = page.cursor === undefined ? undefined : cursors.read(page.cursor, question);
  if (after === null) return reject('INVALID_CURSOR', 'the cursor is not of this list') as Refused;
  // One more than asked for tells whether there is a next page.
  const rows = await readStore.list({
    view: orderSummary.view,
    tenantId,
    filters: toFilters(filters),
    newestBy: 'placed_at',
    ...(after === undefined ? {} : { after }),
    limit: page.limit + 1,
  });
  const lagMs = await viewLag.currentMs();
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  return {
    outcome: 'page',
    items: await Promise.all(
      shown.map(({ key, document }) => parkedOrders.told(key as OrderId, toAnswer(toSnapshot(document), lagMs))),
    ),
    nextCursor: last === undefined ? null : cursors.write({ value: last.document.placedAt, key: last.key }, question),
  };
}

function toFilters({ customerId, reference, status, placedFrom, placedTo, sku }: OrderFilters): readonly Filter[] {
  const equals = { customer_id: customerId, reference, status };
  const filters: Filter[] = Object.entries(equals).flatMap(([column, value]) =>
    value === undefined ? [] : [{ column, equals: value }],
  );
  if (placedFrom !== undefined || placedTo !== undefined) {
    const from = placedFrom === undefined ? {} : { from: placedFrom };
    filters.push({ column: 'placed_at', ...from, ...(placedTo === undefined ? {} : { to: placedTo }) });
  }
  if (sku !== undefined) filters.push({ column: 'skus', contains: sku });
  return filters;
}
