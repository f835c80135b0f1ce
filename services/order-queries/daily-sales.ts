import type { Filter, ReadStore } from '../../infra/read-store/port.ts';
import { dailySales } from '../../projections/daily-sales/projection.ts';
import type { DailySales } from '../../projections/daily-sales/sales.ts';
import { canonicalJson } from '../../schemas/canonical-json.ts';
import { reject } from '../../schemas/decision.ts';
import type { TenantId } from '../../schemas/ids.ts';
import type { Cursors } from './cursor.ts';
import type { PageRequest, Refused } from './list-orders.ts';
import type { ParkedOrders } from './parked-orders.ts';
import type { ViewLag } from './view-lag.ts';

/** Days are `YYYY-MM-DD`, both inclusive. */
export type SalesFilters = {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly currency?: string | undefined;
};

export type SalesPage = {
  readonly outcome: 'page';
  /** Newest day first; `unknown`, history without a time, is the last and only where no day is asked for. */
  readonly items: readonly DailySales[];
  readonly nextCursor: string | null;
  /**
   * How old the sums may be; see AsOf.lagMs. `parked`: some order of the tenant has events that wait for a repair. Which
   * days and currencies they would count in is what cannot be told of such an event, so any sum may lack something.
   */
  readonly asOf: { readonly lagMs: number; readonly projection: string; readonly parked: boolean };
};

export type SalesSources = {
  readonly readStore: ReadStore;
  readonly cursors: Cursors;
  readonly viewLag: ViewLag;
  /** Of the report's view. */
  readonly parkedOrders: Pick<ParkedOrders, 'hasAnyOf'>;
};
export type SalesRequest = {
  readonly tenantId: TenantId;
  readonly filters: SalesFilters;
  readonly page: PageRequest;
};

const projection = `${dailySales.view.name}@${dailySales.view.version}`;
const firstDay = '0001-01-01';

/** Rejects with INVALID_CURSOR. @throws OperationalFailure VIEWS_UNAVAILABLE */
export async function listDailySales(
  { readStore, cursors, viewLag, parkedOrders }: SalesSources,
  { tenantId, filters, page }: SalesRequest,
): Promise<SalesPage | Refused> {
  const question = canonicalJson({ report: 'daily-sales', tenantId, filters });
  const after = page.cursor === undefined ? undefined : cursors.read(page.cursor, question);
  if (after === null) return reject('INVALID_CURSOR', 'the cursor is not of this report') as Refused;
  // One more than asked for tells whether there is a next page.
  const rows = await readStore.list({
    view: dailySales.view,
    tenantId,
    filters: toFilters(filters),
    newestBy: 'day',
    ...(after === undefined ? {} : { after }),
    limit: page.limit + 1,
  });
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  const { day } = dailySales.view.columns;
  return {
    outcome: 'page',
    items: shown.map(({ document }) => inOrder(document)),
    nextCursor:
      last === undefined || day === undefined
        ? null
        : cursors.write({ value: String(day.of(last.document)), key: last.key }, question),
    asOf: { lagMs: await viewLag.currentMs(), projection, parked: await parkedOrders.hasAnyOf(tenantId) },
  };
}

function toFilters({ from, to, currency }: SalesFilters): readonly Filter[] {
  const filters: Filter[] = currency === undefined ? [] : [{ column: 'currency', equals: currency }];
  if (from !== undefined || to !== undefined) {
    // The view's `to` is exclusive, and no day lies between one and itself with a space behind it.
    filters.push({ column: 'day', from: from ?? firstDay, ...(to === undefined ? {} : { to: `${to} ` }) });
  }
  return filters;
}

/** The read store may have sorted the members. */
function inOrder({ day, currency, orders, units, placed, amended, captured, refunded, net }: DailySales): DailySales {
  return { day, currency, orders, units, placed, amended, captured, refunded, net };
}
