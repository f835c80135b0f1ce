import type { EventStore } from '../../infra/event-store/port.ts';
import { orderTimeline } from '../../projections/order-timeline/projection.ts';
import type { OrderTimeline, TimelineItem } from '../../projections/order-timeline/timeline.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { AsOf } from './answers.ts';
import { foldOrderInto } from './fold-order.ts';
import type { ParkedOrders } from './parked-orders.ts';
import type { ViewLag } from './view-lag.ts';
import type { ViewReader } from './view-reader.ts';

export type TimelinePage = {
  readonly orderId: OrderId;
  /** Oldest first; the last 500 steps. */
  readonly items: readonly TimelineItem[];
  /** Older steps that are left out. */
  readonly omitted: number;
  readonly asOf: AsOf;
};

export type TimelineAnswer =
  | { readonly outcome: 'found'; readonly timeline: TimelinePage }
  | { readonly outcome: 'not-found' }
  /** The order is there, but not even its first step can be told until a repair. */
  | { readonly outcome: 'parked' };

export type TimelineSources = {
  readonly store: EventStore;
  readonly timelines: ViewReader<OrderTimeline>;
  readonly viewLag: ViewLag;
  /** Of the timelines' view. */
  readonly parkedOrders: ParkedOrders;
};

const projection = `${orderTimeline.view.name}@${orderTimeline.view.version}`;

/**
 * The life of one order: from the view, else folded from the store where the view does not know the order or does not
 * answer.
 * @throws OperationalFailure STORE_UNAVAILABLE where the view does not know it and the store cannot tell
 */
export async function getTimeline(
  { store, timelines, viewLag, parkedOrders }: TimelineSources,
  { tenantId, orderId }: { readonly tenantId: TenantId; readonly orderId: OrderId },
): Promise<TimelineAnswer> {
  const viewed = await timelines.find(tenantId, orderId);
  if (viewed !== null) {
    const page = toPage(viewed, { lagMs: await viewLag.currentMs(), parked: false });
    return { outcome: 'found', timeline: await parkedOrders.told(orderId, page) };
  }
  const { document, stopped } = await foldOrderInto(store, orderTimeline, { tenantId, orderId, start: null });
  if (document === null) return { outcome: stopped ? 'parked' : 'not-found' };
  return { outcome: 'found', timeline: toPage(document, { lagMs: 0, parked: stopped }) };
}

function toPage(
  { orderId, items, omitted, updatedAt, version }: OrderTimeline,
  { lagMs, parked }: Pick<AsOf, 'lagMs' | 'parked'>,
): TimelinePage {
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
    asOf: { version, eventTime: updatedAt, lagMs, projection, parked },
  };
}
