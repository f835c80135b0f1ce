import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, it, onTestFinished, vi } from 'vitest';
import { parseOpenMetrics, type Family } from '../../infra/metrics/test-open-metrics.ts';
import { lintMetrics } from '../../infra/metrics/test-promtool.ts';
import { describeWithPostgres } from '../../test/postgres.ts';
import { pausePostgres, started, type Started } from './test-started.ts';

const order = {
  customerId: 'ada',
  currency: 'EUR',
  lines: [{ sku: 'tea', quantity: 2, unitPrice: 450 }],
  payments: [{ method: 'card', token: 'tok_visa' }],
};

/** Of contract.md, with their types there. */
const required = {
  http_server_request_duration_seconds: 'histogram',
  http_requests: 'counter',
  http_request_duration_seconds: 'histogram',
  order_created: 'counter',
  order_create_latency_seconds: 'histogram',
  order_status_change: 'counter',
  order_duration_seconds: 'histogram',
  inventory_deduct: 'counter',
  inventory_deduct_success: 'counter',
  payment_success_rate: 'gauge',
  shipping_delay_minutes: 'histogram',
};

describeWithPostgres('a running system', () => {
  it('moves every metric of the contract when an order goes its way', { timeout: 90_000 }, async () => {
    const system = await started();
    await deliverOrder(system);
    const { body } = await system.get('/metrics');
    const families = parseOpenMetrics(body);
    const shown = Object.fromEntries(families.map(({ name, type }) => [name, type]));
    expect(shown).toMatchObject(required);
    const read = reader(families);
    expect({
      created: read('order_created_total'),
      statuses: ['placed', 'paid', 'shipped', 'delivered'].map((status) =>
        read('order_status_change_total', { status }),
      ),
      stages: ['placed', 'paid', 'shipped', 'total'].map((stage) => read('order_duration_seconds_count', { stage })),
      deductions: [read('inventory_deduct_total'), read('inventory_deduct_success_total')],
      placements: read('order_create_latency_seconds_count'),
      paid: read('payment_success_rate'),
      delays: [read('shipping_delay_minutes_count'), read('shipping_delay_seconds_count')],
      replays: read('command_dedupe_hits_total', { door: 'http' }),
      placedOverHttp: read('http_requests_total', { status: '201' }),
      ended: read('sagas_ended_total', { state: 'completed' }),
      open: ['running', 'compensating', 'quarantined'].map((state) => read('sagas', { state })),
      breakers: ['payment', 'logistics', 'risk'].map((dependency) => read('breaker_open', { dependency })),
      projected: read('projection_events_total', { projection: 'order-summary', result: 'applied' }),
      fence: read('append_fence_held_seconds'),
    }).toEqual({
      created: 1,
      statuses: [1, 1, 1, 1],
      stages: [1, 1, 1, 1],
      deductions: [1, 1],
      placements: 1,
      paid: 1,
      delays: [1, 1],
      replays: 1,
      placedOverHttp: 3,
      ended: 1,
      open: [0, 0, 0],
      breakers: [0, 0, 0],
      projected: 7,
      fence: expect.any(Number) as number,
    });
    const readsBefore = readsOf(families);
    const { orderId } = JSON.parse((await system.post('/v1/orders', 'o-1', order)).body) as { orderId: string };
    await system.get(`/v1/orders/${orderId}`);
    expect(readsOf(parseOpenMetrics((await system.get('/metrics')).body))).toBe(readsBefore + 1);
    // Where there is no promtool, infra/metrics/document.test.ts says so.
    expect(lintMetrics((await system.get('/metrics', 'text/plain')).body) ?? []).toEqual([]);
  });

  it('is not ready while its Postgres hangs, lives all the same, and is ready again', { timeout: 90_000 }, async () => {
    const system = await started();
    expect(await system.get('/readyz')).toMatchObject({ status: 200 });
    const resume = await pausePostgres(system);
    await vi.waitFor(async () => expect((await probed(system)).status).toBe(503), { timeout: 20_000, interval: 100 });
    const { status, body, tookMs } = await probed(system);
    expect([status, JSON.parse(body)]).toMatchObject([503, { status: 'not-ready' }]);
    expect(tookMs).toBeLessThan(2_000);
    expect(await system.get('/livez')).toMatchObject({ status: 200 });
    expect((await system.get('/metrics')).body).toMatch(/# EOF\n$/);
    resume();
    await vi.waitFor(async () => expect((await probed(system)).status).toBe(200), { timeout: 20_000, interval: 100 });
  });

  it(
    'shows the growing lag of a projector that cannot get on, and none of the others',
    { timeout: 90_000 },
    async () => {
      const system = await started();
      await deliverOrder(system);
      const release = await holdCheckpoint(system, 'order-summary');
      await system.post('/v1/orders', 'o-2', order);
      const lagOf = async (projection: string): Promise<readonly number[]> => {
        const read = reader(parseOpenMetrics((await system.get('/metrics')).body));
        return [read('projection_lag_events', { projection }), read('projection_lag_seconds', { projection })];
      };
      const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 200 });
      await eventually(async () => expect((await lagOf('order-summary'))[1]).toBeGreaterThan(3));
      expect((await lagOf('order-summary'))[0]).toBeGreaterThan(0);
      await eventually(async () => expect(await lagOf('open-sagas')).toEqual([0, 0]));
      await release();
      await eventually(async () => expect(await lagOf('order-summary')).toEqual([0, 0]));
    },
  );
});

/** Places one order twice, under one key, and waits until it is delivered and everybody has seen it. */
async function deliverOrder(system: Started): Promise<void> {
  await system.post('/v1/stock/tea/receipts', 'stock', { quantity: 10 });
  for (let times = 0; times < 2; times += 1) await system.post('/v1/orders', 'o-1', order);
  await vi.waitFor(
    async () => {
      const read = reader(parseOpenMetrics((await system.get('/metrics')).body));
      expect(read('order_status_change_total', { status: 'delivered' })).toBe(1);
      expect(read('sagas_ended_total', { state: 'completed' })).toBe(1);
      expect(read('sagas', { state: 'running' })).toBe(0);
      expect(read('projection_events_total', { projection: 'order-summary', result: 'applied' })).toBe(7);
    },
    { timeout: 45_000, interval: 500 },
  );
}

async function probed(system: Started) {
  const startedAt = performance.now();
  return { ...(await system.get('/readyz')), tookMs: performance.now() - startedAt };
}

/** Locks the row that a projector moves with each batch, as a forgotten transaction would; what it returns ends that. */
async function holdCheckpoint({ dataDir }: Started, consumer: string): Promise<() => Promise<void>> {
  const running = JSON.parse(await readFile(join(dataDir, 'running.json'), 'utf8')) as { readonly postgresUrl: string };
  const client = new pg.Client({ connectionString: running.postgresUrl });
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  await client.query('begin');
  await client.query('select from views.checkpoints where consumer = $1 for update', [consumer]);
  return async () => {
    await client.query('rollback');
  };
}

function reader(families: readonly Family[]) {
  const samples = families.flatMap((family) => family.samples);
  return (name: string, labels: Readonly<Record<string, string>> = {}): number => {
    const isAsked = (of: Readonly<Record<string, string>>) =>
      Object.entries(labels).every(([label, value]) => of[label] === value);
    return samples.find((sample) => sample.name === name && isAsked(sample.labels))?.value ?? NaN;
  };
}

function readsOf(families: readonly Family[]): number {
  const reads = families.find(({ name }) => name === 'order_reads')?.samples ?? [];
  return reads.reduce((sum, { value }) => sum + value, 0);
}
