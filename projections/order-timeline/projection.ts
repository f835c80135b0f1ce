import type { Recorded } from '../../schemas/envelope.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { effectiveTime } from '../effective-time.ts';
import type { Projection } from '../projection.ts';
import { describeStep } from './describe-step.ts';
import { itemsMax, type OrderTimeline, type TimelineItem } from './timeline.ts';

/** One document per order: the steps of its life, in words. */
export const orderTimeline: Projection<OrderTimeline> = {
  view: { name: 'order-timeline', version: 1, columns: {}, indexes: [] },
  categories: ['order'],
  changes: (recorded) => {
    if (!recorded.stream.startsWith('order-')) return [];
    const event = recorded as Recorded<OrderEvent>;
    return [
      {
        tenantId: event.tenantId,
        key: event.data.orderId,
        update: (current) => (event.type === 'OrderPlaced' ? begun(event) : current && goneOn(current, event)),
      },
    ];
  },
};

function begun(event: Recorded<OrderEvent>): OrderTimeline {
  const { orderId } = event.data;
  return { orderId, items: [toItem(event)], omitted: 0, updatedAt: event.recordedAt, version: event.revision + 1 };
}

function goneOn(current: OrderTimeline, event: Recorded<OrderEvent>): OrderTimeline {
  const items = [...current.items, toItem(event)];
  const excess = Math.max(0, items.length - itemsMax);
  return {
    orderId: current.orderId,
    items: items.slice(excess),
    omitted: current.omitted + excess,
    updatedAt: event.recordedAt,
    version: event.revision + 1,
  };
}

function toItem(event: Recorded<OrderEvent>): TimelineItem {
  return { version: event.revision + 1, at: effectiveTime(event), type: event.type, ...describeStep(event) };
}
