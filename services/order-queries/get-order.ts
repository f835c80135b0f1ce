import { performance } from 'node:perf_hooks';
import type { EventStore } from '../../infra/event-store/port.ts';
import { isOperationalFailure, type OperationalFailure } from '../../infra/failures.ts';
import type { OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import { toAnswer, toSnapshot, type OrderAnswer } from './answers.ts';
import { foldOrder } from './fold-order.ts';
import type { ParkedOrders } from './parked-orders.ts';
import type { ViewLag } from './view-lag.ts';
import type { ViewReader } from './view-reader.ts';
import { awaitAppend } from './await-append.ts';

export type ReadSource = 'snapshot' | 'view' | 'fold';

/** What came of asking the cache; 'old': its writer is so far behind that the view was asked as well. */
export type SnapshotRead = 'hit' | 'miss' | 'old' | 'failed';

export type QueryObserver = {
  /** Which store answered a get. */
  readonly onRead?: (source: ReadSource) => void;
  readonly onSnapshotRead?: (read: SnapshotRead) => void;
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
  /** Of the snapshots' writer. */
  readonly snapshotLag: ViewLag;
  readonly parkedOrders: ParkedOrders;
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
  | { readonly outcome: 'not-yet-visible' }
  /** The order is that far, but an event of it cannot be shown until a repair. */
  | { readonly outcome: 'parked' };

export type GetRequest = GetOptions & { readonly tenantId: TenantId; readonly orderId: OrderId };

const waitMsMax = 10_000;

/** A writer that is further behind than this (its cache was down, say) leaves old snapshots: the view may know better. */
const snapshotLagMaxMs = 5_000;

/**
 * One order: snapshot, else view, else folded from the store.
 * @throws OperationalFailure of the store where no version is asked for and nothing else knows the order
 */
export async function getOrder(sources: GetSources, request: GetRequest): Promise<GetAnswer> {
  const answer = await readOrder(sources, request);
  if (answer.outcome !== 'found') return answer;
  sources.observe.onRead?.(answer.source);
  // Without what follows: that an order is parked may end any moment, and must not be kept.
  if (answer.source !== 'snapshot') void fill(sources, request, answer.order);
  return { ...answer, order: await sources.parkedOrders.told(request.orderId, answer.order) };
}

async function readOrder(sources: GetSources, request: GetRequest): Promise<GetAnswer> {
  const { tenantId, orderId, minVersion = 1 } = request;
  const snapshot = await readSnapshot(sources, request);
  if (snapshot !== null && !snapshot.isOld) return { outcome: 'found', order: snapshot.order, source: 'snapshot' };
  const viewed = await sources.views.find(tenantId, orderId);
  if (snapshot !== null && snapshot.order.version > (viewed?.version ?? 0)) {
    return { outcome: 'found', order: snapshot.order, source: 'snapshot' };
  }
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
      const snapshot = { ...toSnapshot(folded.summary), parked: folded.stopped };
      return { outcome: 'found', order: toAnswer(snapshot, 0), source: 'fold' };
    } else if (folded.stopped) {
      // Neither a wait nor a retry would show it.
      return { outcome: 'parked' };
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

type Folded = Awaited<ReturnType<typeof foldOrder>> | { readonly failure: OperationalFailure };

async function tryFold({ store, observe }: GetSources, order: Parameters<typeof foldOrder>[1]): Promise<Folded> {
  try {
    return await foldOrder(store, order);
  } catch (error) {
    if (!isOperationalFailure(error)) throw error;
    observe.onFallback?.('store', error);
    return { failure: error };
  }
}

type SnapshotAnswer = { readonly order: OrderAnswer; readonly isOld: boolean };

/** null: not there, not at the wanted version, or the cache does not help. */
async function readSnapshot(
  { snapshots, snapshotLag, parkedOrders, observe }: GetSources,
  { tenantId, orderId, minVersion = 1 }: GetRequest,
): Promise<SnapshotAnswer | null> {
  const note = (read: SnapshotRead): void => observe.onSnapshotRead?.(read);
  try {
    const [snapshot] = await snapshots.get(tenantId, [orderId]);
    if (snapshot === null || snapshot === undefined || snapshot.version < minVersion) {
      note('miss');
      return null;
    }
    const lagMs = await snapshotLag.currentMs();
    // One that says parked of an order that is not (any more): the view has what came after.
    const isOld = lagMs > snapshotLagMaxMs || (snapshot.parked && !(await parkedOrders.has(orderId)));
    note(isOld ? 'old' : 'hit');
    return { order: toAnswer(snapshot, lagMs), isOld };
  } catch (error) {
    // A cache is never needed: whatever ails it, the views answer.
    note('failed');
    observe.onFallback?.('snapshot', error);
    return null;
  }
}

/** Nobody waits for it and nothing depends on it. */
async function fill({ snapshots, observe }: GetSources, request: GetRequest, order: OrderAnswer): Promise<void> {
  const { tenantId, orderId } = request;
  const { version, body } = order;
  const { eventTime, parked } = order.asOf;
  const snapshot = { version, eventTime, parked, body };
  try {
    await snapshots.put([{ tenantId, orderId, snapshot, tier: 'fill' }]);
  } catch (error) {
    observe.onFallback?.('snapshot', error);
  }
}
