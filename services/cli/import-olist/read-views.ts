import { setTimeout as wait } from 'node:timers/promises';

import { asRecord, problemOf } from '../api.ts';
import type { Api } from '../api.ts';
import { forEachBounded } from '../bounded.ts';
import { CommandFailure } from '../failure.ts';
import { orderIdOf } from '../../../schemas/ids.ts';
import type { CommandId, TenantId } from '../../../schemas/ids.ts';
import { commandIdOf } from './olist-order.ts';
import type { OrderFigures, OrderStatus } from './olist-order.ts';
import { differencesOf } from './reconcile.ts';

export type ViewsOptions = {
  readonly tenantId: TenantId;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** ISO times around all orders of the files: the list leaves out the orders of other days. */
  readonly placed: { readonly from: string; readonly to: string };
  /** Views follow the log; this long after the last one appeared we no longer wait. */
  readonly patienceMs?: number;
};

/**
 * Reads the imported orders through the public API: the list, page by page, until every order is in it or no more
 * appear; then, one by one, those that are not as expected.
 */
export async function readViews(
  api: Api,
  expected: ReadonlyMap<string, OrderFigures>,
  { tenantId, concurrency, signal, placed, patienceMs = 20_000 }: ViewsOptions,
): Promise<ReadonlyMap<string, OrderFigures>> {
  const seen = new Map<string, OrderFigures>();
  let giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const before = seen.size;
    await readList(api, placed, (order) => expected.has(order.reference) && seen.set(order.reference, order));
    if (seen.size === expected.size || Date.now() > giveUpAt) break;
    if (seen.size > before) giveUpAt = Date.now() + patienceMs;
    await wait(250, undefined, { signal });
  }
  const doubtful = [...expected.values()].filter((order) => {
    const view = seen.get(order.reference);
    return view !== undefined && differencesOf(order, view).length > 0;
  });
  await forEachBounded(doubtful, concurrency, async ({ reference }) => {
    const orderId = orderIdOf(tenantId, commandIdOf(reference) as CommandId);
    const answer = await api.call({ path: `/v1/orders/${orderId}` });
    if (answer.status === 200) seen.set(reference, toFigures(answer.body));
  });
  return seen;
}

async function readList(
  api: Api,
  placed: ViewsOptions['placed'],
  onOrder: (order: OrderFigures) => unknown,
): Promise<void> {
  const range = new URLSearchParams({ limit: '200', placedFrom: placed.from, placedTo: placed.to });
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await api.call({ path: `/v1/orders?${range.toString()}${after}` });
    if (answer.status !== 200) throw new CommandFailure(`the list of orders answers ${problemOf(answer)}`);
    const { items, nextCursor } = asRecord(answer.body);
    for (const item of Array.isArray(items) ? (items as readonly unknown[]) : []) {
      onOrder(toFigures(item));
    }
    cursor = typeof nextCursor === 'string' ? nextCursor : null;
  } while (cursor !== null);
}

/** An OrderSummary, as far as it is compared. */
function toFigures(summary: unknown): OrderFigures {
  const { reference, customerId, status, lines, totals, payment } = asRecord(summary);
  const { total, shipping } = asRecord(totals);
  const { captured, refunded } = asRecord(payment);
  return {
    reference: String(reference),
    customerId: String(customerId),
    status: String(status) as OrderStatus,
    lines: Array.isArray(lines) ? lines.length : Number.NaN,
    total: Number(total),
    freight: Number(shipping),
    captured: Number(captured),
    refunded: Number(refunded),
  };
}
