import type { FeedEvent } from '../orders/read-orders.ts';

const onceEach = ['TimerFired', 'OrderExpired'] as const;

/** One sentence for each order whose timer did not fire, or that did not expire, exactly once. */
export function miscountedExpiries(orderIds: readonly string[], events: readonly FeedEvent[]): readonly string[] {
  const isExpiry = ({ type, data }: FeedEvent): boolean => type !== 'TimerFired' || data.kind === 'unpaid-expiry';
  const expiries = Map.groupBy(events.filter(isExpiry), ({ type, data }) => `${type} ${String(data.orderId)}`);
  return orderIds.flatMap((orderId) =>
    onceEach
      .map((type) => ({ type, count: expiries.get(`${type} ${orderId}`)?.length ?? 0 }))
      .filter(({ count }) => count !== 1)
      .map(({ type, count }) => `order ${orderId} has ${count} ${type}`),
  );
}
