import type { EventStore } from '../../infra/event-store/port.ts';
import { orderTimeline } from '../../projections/order-timeline/projection.ts';
import type { OrderTimeline, TimelineItem } from '../../projections/order-timeline/timeline.ts';
import { foldDocument } from '../../projections/projection.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { AsOf } from './answers.ts';
import { readOrderEvents } from './fold-order.ts';
import type { ViewLag } from './view-lag.ts';
import type { ViewReader } from './view-reader.ts';

export type TimelineAnswer = {
  readonly orderId: OrderId;
  /** Oldest first; the last 500 steps. */
  readonly items: readonly TimelineItem[];
  /** Older steps that are left out. */
  readonly omitted: number;
  readonly asOf: AsOf;
};

export type TimelineSources = {
  readonly store: EventStore;
  readonly timelines: ViewReader<OrderTimeline>;
  readonly viewLag: ViewLag;
};

const projection = `${orderTimeline.view.name}@${orderTimeline.view.version}`;

/**
 * The life of one order: from the view, else folded from the store where the view does not know the order or does not
 * answer. null: no such order.
 * @throws OperationalFailure STORE_UNAVAILABLE where the view does not know it and the store cannot tell
 */
export async function getTimeline(
  { store, timelines, viewLag }: TimelineSources,
  { tenantId, orderId }: { readonly tenantId: TenantId; readonly orderId: OrderId },
): Promise<TimelineAnswer | null> {
  const viewed = await timelines.find(tenantId, orderId);
  if (viewed !== null) return toAnswer(viewed, await viewLag.currentMs());
  const events = await readOrderEvents(store, { tenantId, orderId, fromRevision: 0 });
  const folded = foldDocument(orderTimeline, events, { key: orderId, document: null });
  return folded === null ? null : toAnswer(folded, 0);
}

function toAnswer({ orderId, items, omitted, updatedAt, version }: OrderTimeline, lagMs: number): TimelineAnswer {
  return {
    orderId: orderId as OrderId,
    // The read store may have sorted the members; what a person reads first comes first.
    items: items.map(({ version: after, at, type, title, ...parts }) => ({
      version: after,
      at,
      type,
      title,
      ...parts,
    })),
    omitted,
    asOf: { version, eventTime: updatedAt, lagMs, projection, parked: false },
  };
}
