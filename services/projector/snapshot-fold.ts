import { LRUCache } from 'lru-cache';
import type { EventStore } from '../../infra/event-store/port.ts';
import type { SnapshotTier, SnapshotWrite } from '../../infra/order-snapshots/port.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { summaryBody } from '../../projections/order-summary/body.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import type { Projection } from '../../projections/projection.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { OrderId, StreamName, TenantId } from '../../schemas/ids.ts';
import { orderIdOfStream } from '../../schemas/ids.ts';

export type FoldSources = {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly readStore: Pick<ReadStore, 'find'>;
  readonly projection: Projection<OrderSummary>;
};

/** Folds the orders of a batch of events; remembers what it folded last. */
export type SnapshotFold = (events: readonly RecordedEvent[]) => Promise<readonly SnapshotWrite[]>;

/** Some 15 MB for usual orders. */
const rememberedMax = 5_000;

/** One read of the store while filling a gap. */
const gapPageMax = 1_000;

/** Streams whose gaps are filled at once. */
const gapsAtOnceMax = 16;

/** The events of one order within a batch. */
type Touched = {
  readonly tenantId: TenantId;
  readonly orderId: OrderId;
  readonly stream: StreamName;
  readonly events: readonly RecordedEvent[];
};

type Folded = { readonly document: OrderSummary | null; readonly parked: boolean };

/**
 * Every order that a batch touches is written as it is after it, also where the batch brought nothing new: after a
 * failover the cache lacks what this fold has long seen.
 */
export function openSnapshotFold(sources: FoldSources): SnapshotFold {
  const remembered = new LRUCache<StreamName, OrderSummary>({ max: rememberedMax });
  return async (events) => {
    const orders = touchedBy(events);
    const known = await knownDocuments(sources, remembered, orders);
    const writes: SnapshotWrite[] = [];
    for (let start = 0; start < orders.length; start += gapsAtOnceMax) {
      const part = orders.slice(start, start + gapsAtOnceMax);
      const folded = await Promise.all(part.map((order) => foldOrder(sources, order, known.get(order.stream) ?? null)));
      for (const [index, order] of part.entries()) {
        const { document, parked } = folded[index] ?? { document: null, parked: true };
        if (parked || document === null) remembered.delete(order.stream);
        else remembered.set(order.stream, document);
        if (document !== null) writes.push(toWrite(order, document, parked));
      }
    }
    return writes;
  };
}

export function tierOf({ status }: Pick<OrderSummary, 'status'>): Exclude<SnapshotTier, 'fill'> {
  if (status === 'placed') return 'unpaid';
  return status === 'paid' || status === 'shipped' ? 'in-progress' : 'fulfilled';
}

function touchedBy(events: readonly RecordedEvent[]): readonly Touched[] {
  const byStream = new Map<StreamName, RecordedEvent[]>();
  for (const event of events) {
    const known = byStream.get(event.stream);
    if (known === undefined) byStream.set(event.stream, [event]);
    else known.push(event);
  }
  return [...byStream].flatMap(([stream, own]) => {
    const orderId = orderIdOfStream(stream);
    const tenantId = own[0]?.tenantId;
    return orderId === null || tenantId === undefined ? [] : [{ tenantId, orderId, stream, events: own }];
  });
}

/** An order that begins in the batch needs no lookup; the others are remembered, or read from the view together. */
async function knownDocuments(
  { readStore, projection }: FoldSources,
  remembered: LRUCache<StreamName, OrderSummary>,
  orders: readonly Touched[],
): Promise<ReadonlyMap<StreamName, OrderSummary>> {
  const known = new Map<StreamName, OrderSummary>();
  const unknown: Touched[] = [];
  for (const order of orders) {
    if (order.events[0]?.revision === 0) continue;
    const document = remembered.get(order.stream);
    if (document === undefined) unknown.push(order);
    else known.set(order.stream, document);
  }
  if (unknown.length === 0) return known;
  const keys = unknown.map(({ tenantId, orderId }) => ({ tenantId, key: orderId }));
  const found = await readStore.find(projection.view, keys);
  for (const [index, { stream }] of unknown.entries()) {
    const document = found[index];
    if (document !== null && document !== undefined) known.set(stream, document);
  }
  return known;
}

/** Folds on from what is known; a poison event ends the fold there, and the order is parked as it was before it. */
async function foldOrder(sources: FoldSources, order: Touched, start: OrderSummary | null): Promise<Folded> {
  const events = await withoutGaps(sources, order, start?.version ?? 0);
  if (events === null) return { document: start, parked: true };
  let document = start;
  for (const event of events) {
    try {
      for (const change of sources.projection.changes(event)) {
        if (change.key === order.orderId) document = change.update(document);
      }
    } catch {
      // The projector meets the same event, parks it in the view and reports it; here it must stop nobody else.
      return { document, parked: true };
    }
  }
  return { document, parked: false };
}

/** The order's events from `next` on, each once; what the batch lacks is read from the store. null: it lacks it too. */
async function withoutGaps(
  { store }: FoldSources,
  { stream, events }: Touched,
  next: number,
): Promise<readonly RecordedEvent[] | null> {
  const fresh: RecordedEvent[] = [];
  for (const event of events) {
    const wanted = next + fresh.length;
    if (event.revision < wanted) continue;
    for (let missing = wanted; missing < event.revision; missing = next + fresh.length) {
      const limit = Math.min(event.revision - missing, gapPageMax);
      const page = await store.readStream({ stream, fromRevision: missing, limit });
      if (page[0]?.revision !== missing) return null;
      fresh.push(...page);
    }
    fresh.push(event);
  }
  return fresh;
}

function toWrite({ tenantId, orderId }: Touched, summary: OrderSummary, parked: boolean): SnapshotWrite {
  const { version, updatedAt: eventTime } = summary;
  const snapshot = { version, eventTime, parked, body: Buffer.from(summaryBody(summary)) };
  return { tenantId, orderId, snapshot, tier: tierOf(summary) };
}
