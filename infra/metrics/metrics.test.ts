import { expect, it } from 'vitest';
import type { Origin, RecordedEvent } from '../../schemas/envelope.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { openMetrics } from './open.ts';
import type { Metrics } from './open.ts';

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
