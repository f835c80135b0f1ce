import { performance } from 'node:perf_hooks';
import type { EventStore } from '../../infra/event-store/port.ts';
import { isOperationalFailure, type OperationalFailure } from '../../infra/failures.ts';
import type { OrderSnapshot, OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import { toAnswer, toSnapshot, type OrderAnswer } from './answers.ts';
import { foldOrder } from './fold-order.ts';
import type { ViewLag } from './view-lag.ts';
import type { ViewReader } from './view-reader.ts';
import { awaitAppend } from './await-append.ts';

export type ReadSource = 'snapshot' | 'view' | 'fold';

export type QueryObserver = {
  /** Which store answered a get. */
  readonly onRead?: (source: ReadSource) => void;
  /** A store did not help, and the read went on to the next. */
  readonly onFallback?: (from: 'snapshot' | 'view' | 'store', failure: unknown) => void;
  /** The log could not be followed any more: live updates ended, and begin anew with the next client. */
  readonly onLiveFailure?: (failure: unknown) => void;
};

export type GetSources = {
  readonly store: EventStore;
  readonly views: ViewReader;
  readonly snapshots: OrderSnapshots;
  readonly viewLag: ViewLag;
  readonly observe: QueryObserver;
};

export type GetOptions = {
  /** Never answer with an older version. */
  readonly minVersion?: number | undefined;
  /** How long to wait for it; 0 if absent, at most 10,000. */
  readonly waitMs?: number | undefined;
  /** Ends the wait: the reader went away. */
  readonly signal?: AbortSignal | undefined;
};

export type GetAnswer =
  | { readonly outcome: 'found'; readonly order: OrderAnswer; readonly source: ReadSource }
  | { readonly outcome: 'not-found' }
  /** The order itself is not at `minVersion` after the wait, or the store that would know is down. */
  | { readonly outcome: 'not-yet-visible' };

export type GetRequest = GetOptions & { readonly tenantId: TenantId; readonly orderId: OrderId };

const waitMsMax = 10_000;

/**
 * One order: snapshot, else view, else folded from the store.
 * @throws OperationalFailure of the store where no version is asked for and nothing else knows the order
 */
export async function getOrder(sources: GetSources, request: GetRequest): Promise<GetAnswer> {
  const answer = await readOrder(sources, request);
  if (answer.outcome === 'found') {
    sources.observe.onRead?.(answer.source);
    if (answer.source !== 'snapshot') void fill(sources, request, answer.order);
  }
  return answer;
}

async function readOrder(sources: GetSources, request: GetRequest): Promise<GetAnswer> {
  const { tenantId, orderId, minVersion = 1 } = request;
  const snapshot = await readSnapshot(sources, request);
  if (snapshot !== null && snapshot.version >= minVersion) {
    return { outcome: 'found', order: toAnswer(snapshot, await sources.viewLag.currentMs()), source: 'snapshot' };
  }
  const viewed = await sources.views.find(tenantId, orderId);
  if (viewed !== null && viewed.version >= minVersion) {
    return {
      outcome: 'found',
      order: toAnswer(toSnapshot(viewed), await sources.viewLag.currentMs()),
      source: 'view',
    };
  }
  return foldUntil(sources, request, viewed);
}

/** Folds on from what the view knows until the order is at the version, the wait is over, or the reader went away. */
async function foldUntil(sources: GetSources, request: GetRequest, viewed: OrderSummary | null): Promise<GetAnswer> {
  const { tenantId, orderId, minVersion = 1, signal } = request;
  const deadline = performance.now() + Math.min(request.waitMs ?? 0, waitMsMax);
  let known = viewed;
  for (;;) {
    const folded = await tryFold(sources, { tenantId, orderId, start: known });
    if ('failure' in folded) {
      if (request.minVersion === undefined) throw folded.failure;
    } else if (folded.summary !== null && folded.summary.version >= minVersion) {
      return { outcome: 'found', order: toAnswer(toSnapshot(folded.summary), 0), source: 'fold' };
    } else {
      known = folded.summary;
    }
    const leftMs = request.minVersion === undefined ? 0 : deadline - performance.now();
    if (leftMs <= 0 || signal?.aborted === true) {
      return { outcome: known === null && !('failure' in folded) ? 'not-found' : 'not-yet-visible' };
    }
    await awaitAppend(sources.store, { withinMs: leftMs, signal });
  }
}

type Folded = { readonly summary: OrderSummary | null } | { readonly failure: OperationalFailure };

async function tryFold({ store, observe }: GetSources, order: Parameters<typeof foldOrder>[1]): Promise<Folded> {
  try {
    return { summary: await foldOrder(store, order) };
  } catch (error) {
    if (!isOperationalFailure(error)) throw error;
    observe.onFallback?.('store', error);
    return { failure: error };
  }
}

async function readSnapshot(
  { snapshots, observe }: GetSources,
  { tenantId, orderId }: GetRequest,
): Promise<OrderSnapshot | null> {
  try {
    return (await snapshots.get(tenantId, [orderId]))[0] ?? null;
  } catch (error) {
    // A cache is never needed: whatever ails it, the views answer.
    observe.onFallback?.('snapshot', error);
    return null;
  }
}

/** Nobody waits for it and nothing depends on it. */
async function fill({ snapshots, observe }: GetSources, request: GetRequest, order: OrderAnswer): Promise<void> {
  const { tenantId, orderId } = request;
  const snapshot = { version: order.version, eventTime: order.asOf.eventTime, body: order.body };
  try {
    await snapshots.put([{ tenantId, orderId, snapshot, tier: 'fill' }]);
  } catch (error) {
    observe.onFallback?.('snapshot', error);
  }
}
