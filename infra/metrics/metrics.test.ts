import { expect, it, vi } from 'vitest';
import type { Origin, RecordedEvent } from '../../schemas/envelope.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { openMetrics } from './open.ts';
import type { Metrics } from './open.ts';
import { parseOpenMetrics, type Sample as ScrapedSample } from './test-open-metrics.ts';

type Sample = { readonly atSeconds: number; readonly event: OrderEvent; readonly origin?: Origin };

function observe(metrics: Metrics, samples: readonly Sample[], orderId = 'o-1'): void {
  for (const { atSeconds, event, origin = 'live' } of samples) {
    const recordedAt = new Date(Date.UTC(2026, 0, 1) + atSeconds * 1_000).toISOString();
    const envelope = { stream: `order-${orderId}`, origin, recordedAt, occurredAt: recordedAt };
    metrics.observeEvent({ ...envelope, ...event } as unknown as RecordedEvent);
  }
}

const of = { orderId: 'o-1' };
const placed = (total = 100): OrderEvent => ({
  type: 'OrderPlaced',
  data: {
    ...of,
    reference: null,
    customerId: 'c',
    currency: 'EUR',
    lines: [{ lineId: '1', sku: 'a', quantity: 2, unitPrice: 50, tax: 0, name: null }],
    totals: { subtotal: total, discount: 0, shipping: 0, tax: 0, total },
    payments: [{ paymentId: 'p', method: 'card', amount: total }],
    metadata: {},
    sealed: null,
  },
});
const money = { ...of, paymentId: 'p', providerId: 'x', currency: 'EUR' };
const captured = (amount: number): OrderEvent => ({ type: 'PaymentCaptured', data: { ...money, amount } });
const parcel = { ...of, shipmentId: 's', providerId: 'x' };
const dispatched: OrderEvent = {
  type: 'ShipmentDispatched',
  data: { ...parcel, lines: [{ lineId: '1', quantity: 2 }] },
};
const delivered: OrderEvent = { type: 'ShipmentDelivered', data: parcel };

it('times an order from placed to delivered, a status at a time', async () => {
  const metrics = openMetrics();
  observe(metrics, [
    { atSeconds: 0, event: placed() },
    { atSeconds: 2, event: captured(40) },
    { atSeconds: 3, event: captured(60) },
    { atSeconds: 63, event: dispatched },
    { atSeconds: 100, event: delivered },
  ]);
  const text = await metrics.text();
  for (const line of [
    'order_created_total 1',
    'order_status_change_total{status="paid"} 1',
    'order_status_change_total{status="delivered"} 1',
    'order_duration_seconds_sum{stage="placed"} 3',
    'order_duration_seconds_sum{stage="paid"} 60',
    'order_duration_seconds_sum{stage="shipped"} 37',
    'order_duration_seconds_sum{stage="total"} 100',
    'shipping_delay_minutes_sum 1',
    'shipping_delay_seconds_sum 60',
    'payment_success_rate 1',
  ]) {
    expect(text).toContain(line);
  }
});

it('takes an order as paid and shipped when what it was amended to is', async () => {
  const metrics = openMetrics();
  const lines = [{ lineId: '1', sku: 'a', quantity: 3, unitPrice: 50, tax: 0, name: null }];
  const totals = { subtotal: 150, discount: 0, shipping: 0, tax: 0, total: 150 };
  const payments = [{ paymentId: 'p', method: 'bank_slip', amount: 150 }];
  const amended: OrderEvent = {
    type: 'OrderAmended',
    data: { ...of, currency: 'EUR', lines, totals, previousTotal: 100, payments, sealed: null },
  };
  observe(metrics, [
    { atSeconds: 0, event: placed() },
    { atSeconds: 1, event: amended },
    { atSeconds: 2, event: captured(100) },
    { atSeconds: 5, event: captured(50) },
    { atSeconds: 6, event: dispatched },
  ]);
  const text = await metrics.text();
  expect(text).toContain('order_duration_seconds_sum{stage="placed"} 5');
  expect(text).not.toContain('order_status_change_total{status="shipped"} 1');
});

it('counts a cancelled order and a failed payment', async () => {
  const metrics = openMetrics();
  const failed: OrderEvent = {
    type: 'PaymentFailed',
    data: { ...of, paymentId: 'p', providerId: 'x', code: 'declined' },
  };
  observe(metrics, [
    { atSeconds: 0, event: placed() },
    { atSeconds: 1, event: failed },
    { atSeconds: 2, event: { type: 'OrderCancelled', data: { ...of, reason: 'payment_failed' } } },
  ]);
  observe(
    metrics,
    [
      { atSeconds: 0, event: placed() },
      { atSeconds: 1, event: captured(100) },
    ],
    'o-2',
  );
  const text = await metrics.text();
  expect(text).toContain('order_status_change_total{status="cancelled"} 1');
  expect(text).toContain('payment_success_rate 0.5');
  expect(text).toContain('payment_outcomes_total{outcome="failed"} 1');
});

it('is not moved by imported history', async () => {
  const metrics = openMetrics();
  const samples = [placed(), captured(100), dispatched, delivered].map((event, atSeconds) => ({ event, atSeconds }));
  observe(
    metrics,
    samples.map((sample) => ({ ...sample, origin: 'backfill' as const })),
  );
  expect(await metrics.text()).toContain('order_created_total 0');
});

it('reads gauges when it is scraped, and leaves out those whose source is down', async () => {
  const metrics = openMetrics();
  let waiting = 3;
  metrics.watch('queue_depth', () => [{ of: 'appends', value: waiting }]);
  metrics.watch('projection_lag_seconds', () => Promise.reject(new Error('down')));
  waiting = 5;
  const text = await metrics.text();
  expect(text).toContain('queue_depth{queue="appends"} 5');
  expect(text).not.toMatch(/^projection_lag_seconds\{/m);
});

it('leaves out a gauge without labels that nobody could read: unknown is not 0', async () => {
  const metrics = openMetrics();
  metrics.watch('append_fence_held_seconds', () => Promise.reject(new Error('down')));
  expect(await metrics.text()).not.toMatch(/^append_fence_held_seconds /m);
});

it('answers a scrape although one reader hangs', async () => {
  vi.useFakeTimers();
  try {
    const metrics = openMetrics();
    metrics.watch('sagas', () => new Promise(() => undefined));
    metrics.watch('queue_depth', () => [{ of: 'appends', value: 1 }]);
    const scraped = metrics.text();
    await vi.advanceTimersByTimeAsync(2_000);
    const text = await scraped;
    expect(text).toContain('queue_depth{queue="appends"} 1');
    expect(text).not.toMatch(/^sagas\{/m);
  } finally {
    vi.useRealTimers();
  }
});

it('shows a counter from its first 0, so that a rate sees its first event', async () => {
  const metrics = openMetrics();
  metrics.count('saga_steps_total', ['risk', 'run', 'succeeded'], 0);
  expect(await metrics.text()).toContain('saga_steps_total{step="risk",direction="run",outcome="succeeded"} 0');
});

const traceOf = (number: number): string => String(number).padStart(32, '0');

function answer(metrics: Metrics, seconds: number, trace: number): void {
  metrics.observeRequest({ method: 'GET', route: '/x', status: 200, seconds, traceId: traceOf(trace) });
  metrics.observePlacement(seconds, traceOf(trace));
}

it.each(['http_server_request_duration_seconds', 'http_request_duration_seconds', 'order_create_latency_seconds'])(
  'leads from the buckets of %s to a trace: one each second, and the slow are never crowded out',
  async (name) => {
    vi.useFakeTimers();
    try {
      const metrics = openMetrics();
      for (let trace = 1; trace <= 100; trace += 1) answer(metrics, 0.002, trace);
      answer(metrics, 2, 101);
      answer(metrics, 60, 102);
      expect(await exemplarsOf(metrics, name)).toEqual([
        ['0.0025', traceOf(1)],
        ['2.5', traceOf(101)],
        ['+Inf', traceOf(102)],
      ]);
      vi.advanceTimersByTime(1_000);
      answer(metrics, 0.002, 103);
      expect((await exemplarsOf(metrics, name))[0]).toEqual(['0.0025', traceOf(103)]);
    } finally {
      vi.useRealTimers();
    }
  },
);

async function exemplarsOf(metrics: Metrics, name: string): Promise<readonly unknown[]> {
  const family = parseOpenMetrics(await metrics.text()).find((each) => each.name === name);
  const traced = (family?.samples ?? []).filter(({ exemplar }) => exemplar !== null);
  return traced.map(({ labels, exemplar }: ScrapedSample) => [labels.le, exemplar?.trace_id]);
}

it('shows the same values in both formats, whichever was asked for first', async () => {
  const metrics = openMetrics();
  answer(metrics, 0.002, 1);
  const openFirst = await metrics.expose();
  const plain = await metrics.expose('text/plain');
  const openAgain = await metrics.expose();
  expect([openFirst, plain, openAgain].map(({ contentType }) => contentType)).toEqual([
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
    'text/plain; version=0.0.4; charset=utf-8',
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  ]);
  expect(plain.body).toContain('# TYPE http_requests_total counter\nhttp_requests_total{status="200"} 1\n');
  expect(plain.body).not.toMatch(/trace_id|# EOF/);
  const ours = (body: string) => body.split('\n').filter((line) => /^(http|order)_.* \d/.test(line));
  expect(ours(openAgain.body).map((line) => line.replace(/ # .*$/, ''))).toEqual(ours(plain.body));
  expect(ours(openAgain.body)).toEqual(ours(openFirst.body));
});
