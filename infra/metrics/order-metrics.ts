import { LRUCache } from 'lru-cache';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Recorded, RecordedEvent } from '../../schemas/envelope.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import type { StreamName } from '../../schemas/ids.ts';
import { advance } from './order-progress.ts';
import type { OrderProgress } from './order-progress.ts';

export type OrderMetrics = {
  /** Every event of the feed, in each stream's order: created, status, durations, payments, shipping. */
  readonly observeEvent: (event: RecordedEvent) => void;
  /** Of orders that another process counted so far: without it their next status would not be known for a change. */
  readonly orderPasts: {
    readonly isMissing: (event: RecordedEvent) => boolean;
    /** The events of one order from its first on; they are counted already, and count nothing here. */
    readonly recall: (events: readonly RecordedEvent[]) => void;
  };
};

/** Orders between their first and last event, at about 300 bytes each; what is pushed out is no longer timed. */
const ordersMax = 50_000;

/**
 * Business metrics, driven by recorded events: `observeEvent` is called by an observer of the feed, in each order's
 * order. Imported history (origin backfill) moves nothing: these are about today's business.
 */
export function orderMetrics(registry: Registry): OrderMetrics {
  const metrics = registerOrderMetrics(registry);
  const orders = new LRUCache<StreamName, OrderProgress>({ max: ordersMax });
  const observeEvent = (event: RecordedEvent): void => {
    if (event.origin !== 'live' || !event.stream.startsWith('order-')) return;
    const orderEvent = event as Recorded<OrderEvent>;
    if (orderEvent.type === 'PaymentCaptured') metrics.countPayment('captured');
    if (orderEvent.type === 'PaymentFailed') metrics.countPayment('failed');
    const before = orders.get(event.stream) ?? null;
    const after = advance(before, orderEvent);
    if (after === null || after === before) return;
    if (after.status !== before?.status) metrics.enterStatus(before, after);
    if (after.status === 'delivered' || after.status === 'cancelled') orders.delete(event.stream);
    else orders.set(event.stream, after);
  };
  return {
    observeEvent,
    orderPasts: {
      isMissing: ({ origin, stream }) => origin === 'live' && stream.startsWith('order-') && !orders.has(stream),
      recall: (events) => {
        const [first] = events;
        if (first?.origin !== 'live') return;
        const before = (events as readonly Recorded<OrderEvent>[]).reduce<OrderProgress | null>(advance, null);
        if (before !== null) orders.set(first.stream, before);
      },
    },
  };
}

function registerOrderMetrics(registry: Registry) {
  const registers = [registry];
  const created = new Counter({ name: 'order_created_total', help: 'Orders placed', registers });
  const changes = new Counter({
    name: 'order_status_change_total',
    help: 'Orders that came into a status',
    labelNames: ['status'],
    registers,
  });
  const durations = new Histogram({
    name: 'order_duration_seconds',
    help: 'Time that orders spent in a status before they left it; stage `total`: from placed to delivered',
    labelNames: ['stage'],
    buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 259_200, 604_800],
    registers,
  });
  const delayed = shippingDelay(registry);
  const countPayment = paymentMetrics(registry);
  const enterStatus = (before: OrderProgress | null, after: OrderProgress): void => {
    if (before === null) created.inc();
    else durations.observe({ stage: before.status }, secondsBetween(before.sinceMs, after.sinceMs));
    changes.inc({ status: after.status });
    if (after.status === 'shipped' && after.paidMs !== null) delayed(secondsBetween(after.paidMs, after.sinceMs));
    if (after.status === 'delivered') {
      durations.observe({ stage: 'total' }, secondsBetween(after.placedMs, after.sinceMs));
    }
  };
  return { countPayment, enterStatus };
}

/** In minutes, as shops ask for it, and in seconds, the base unit that Prometheus' tools expect. */
function shippingDelay(registry: Registry): (seconds: number) => void {
  const registers = [registry];
  const upToMinutes = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 240, 1_440, 2_880, 10_080];
  const minutes = new Histogram({
    name: 'shipping_delay_minutes',
    help: 'Minutes from paid to all lines dispatched',
    buckets: upToMinutes,
    registers,
  });
  const inSeconds = new Histogram({
    name: 'shipping_delay_seconds',
    help: 'Seconds from paid to all lines dispatched',
    buckets: upToMinutes.map((upTo) => Math.round(upTo * 600) / 10),
    registers,
  });
  return (seconds) => {
    minutes.observe(seconds / 60);
    inSeconds.observe(seconds);
  };
}

function paymentMetrics(registry: Registry): (outcome: 'captured' | 'failed') => void {
  const registers = [registry];
  const outcomes = new Counter({
    name: 'payment_outcomes_total',
    help: 'Payments captured and failed: rate() over it gives the success rate of a time',
    labelNames: ['outcome'],
    registers,
  });
  const rate = new Gauge({
    name: 'payment_success_rate',
    help: 'Captured payments / (captured + failed) since this process started; 1 before the first',
    registers,
  });
  rate.set(1);
  const counts = { captured: 0, failed: 0 };
  return (outcome) => {
    counts[outcome] += 1;
    outcomes.inc({ outcome });
    rate.set(counts.captured / (counts.captured + counts.failed));
  };
}

/** Clocks of two machines may disagree: a duration is never below 0. */
function secondsBetween(fromMs: number, toMs: number): number {
  return Math.max(0, toMs - fromMs) / 1_000;
}
