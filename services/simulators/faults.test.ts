import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openLogistics } from '../../infra/logistics/open.ts';
import { openPayments } from '../../infra/payments/open.ts';
import { protect } from '../../infra/resilience/protect.ts';
import { startLogisticsSimulator } from './logistics.ts';
import { startPaymentSimulator } from './payment.ts';
import type { SimulatorSettings } from './settings.ts';

const quiet: SimulatorSettings = { delayMs: 0, errorRate: 0, timeoutAfterSuccessRate: 0 };
const request = { key: 'o1/pay/1', orderId: 'o1', paymentId: 'p', amount: 100, currency: 'EUR', method: 'card' };
let cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  cleanups = [];
});

async function gateway(settings: Partial<SimulatorSettings> = {}, random?: () => number) {
  const dataDir = await mkdtemp(join(tmpdir(), 'order-center-faults-'));
  cleanups.push(() => rm(dataDir, { recursive: true }));
  const options = { settings: { ...quiet, ...settings }, dataDir };
  const simulator = await startPaymentSimulator(random ? { ...options, random } : options);
  cleanups.push(() => simulator.close());
  const ledger = async () =>
    (await readFile(join(dataDir, 'simulators/payments.jsonl'), 'utf8')).split('\n').slice(0, -1);
  return { url: simulator.url, payments: openPayments(simulator.url), ledger };
}

function script(url: string, body: unknown, orderId = 'o1'): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/sim/faults/${orderId}`, { method: 'PUT', headers, body: JSON.stringify(body) });
}

const soon = () => ({ signal: AbortSignal.timeout(100) });

describe('scripted faults', () => {
  it('answers an error without effect, as often as scripted', async () => {
    const { url, payments, ledger } = await gateway();
    await script(url, { faults: [{ op: 'authorize', kind: 'error', times: 2 }] });
    const failure = { code: 'DEPENDENCY_FAILED', retryable: true };
    await expect(payments.authorize(request)).rejects.toMatchObject(failure);
    await expect(payments.authorize(request)).rejects.toMatchObject(failure);
    expect(await ledger()).toEqual([]);
    expect(await payments.authorize(request)).toMatchObject({ outcome: 'succeeded' });
  });

  it('has the effect and never answers on timeout-after-success', async () => {
    const { url, payments, ledger } = await gateway();
    await script(url, { faults: [{ op: 'authorize', kind: 'timeout-after-success' }] });
    await expect(payments.authorize(request, soon())).rejects.toMatchObject({ code: 'DEPENDENCY_TIMEOUT' });
    expect(await payments.find(request.key)).toMatchObject({ outcome: 'succeeded' });
    expect(await payments.authorize(request)).toMatchObject({ outcome: 'succeeded' });
    expect(await ledger()).toHaveLength(1);
  });

  it('is survived by a protected port without a second effect', async () => {
    const { url, payments, ledger } = await gateway();
    const faults = [
      { op: 'authorize', kind: 'timeout-after-success' },
      { op: 'authorize', kind: 'error' },
    ];
    await script(url, { faults });
    const protectedPayments = protect(payments, { name: 'payments', timeoutMs: 100 });
    expect(await protectedPayments.authorize(request)).toMatchObject({ outcome: 'succeeded' });
    expect(await ledger()).toHaveLength(1);
  });

  it('delays an answer', async () => {
    const { url, payments } = await gateway();
    await script(url, { faults: [{ op: 'authorize', kind: 'delay', delayMs: 150 }] });
    const startedAt = performance.now();
    await payments.authorize(request);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(149);
  });

  it('declines with the scripted code, for ever under that key', async () => {
    const { url, payments, ledger } = await gateway();
    await script(url, { faults: [{ op: 'authorize', kind: 'decline', code: 'INSUFFICIENT_FUNDS' }] });
    const declined = { outcome: 'declined', code: 'INSUFFICIENT_FUNDS' };
    expect(await payments.authorize(request)).toEqual(declined);
    expect(await payments.authorize(request)).toEqual(declined);
    expect(await payments.authorize({ ...request, key: 'o1/pay/2' })).toMatchObject({ outcome: 'succeeded' });
    expect(JSON.parse((await ledger())[0] ?? '')).toMatchObject({ result: 'declined:INSUFFICIENT_FUNDS' });
  });

  it('strikes finds by the order in their key', async () => {
    const { url, payments } = await gateway();
    await script(url, { faults: [{ op: 'find', kind: 'error' }] });
    expect(await payments.find('o2/pay/1')).toBe('not-found');
    await expect(payments.find('o1/pay/1')).rejects.toMatchObject({ code: 'DEPENDENCY_FAILED' });
    expect(await payments.find('o1/pay/1')).toBe('not-found');
  });

  it('strikes only its order, and an empty script heals it', async () => {
    const { url, payments } = await gateway();
    await script(url, { faults: [{ op: 'authorize', kind: 'error', times: 1000 }] });
    const other = { ...request, key: 'o2/pay/1', orderId: 'o2' };
    expect(await payments.authorize(other)).toMatchObject({ outcome: 'succeeded' });
    await script(url, { faults: [] });
    expect(await payments.authorize(request)).toMatchObject({ outcome: 'succeeded' });
  });

  it.each([
    ['an unknown field', { faults: [], more: 1 }],
    ['an unknown field of a fault', { faults: [{ op: 'authorize', kind: 'error', until: 'noon' }] }],
    ['an unknown kind', { faults: [{ op: 'authorize', kind: 'explode' }] }],
    ['a count of zero', { faults: [{ op: 'authorize', kind: 'error', times: 0 }] }],
    ['no list', {}],
  ])('answers 400 to %s', async (_, body) => {
    const { url } = await gateway();
    expect((await script(url, body)).status).toBe(400);
  });

  it('fails a delivery', async () => {
    const simulator = await startLogisticsSimulator({ settings: { ...quiet, deliveryMs: 0 } });
    cleanups.push(() => simulator.close());
    const logistics = openLogistics(simulator.url);
    await script(simulator.url, { faults: [{ op: 'delivery', kind: 'decline', code: 'LOST' }] });
    const parcel = { orderId: 'o1', shipmentId: 's' };
    const booking = await logistics.book({ ...parcel, key: 'o1/book/1', lines: [] });
    const providerId = booking.outcome === 'booked' ? booking.providerId : '';
    await logistics.dispatch({ ...parcel, key: 'o1/ship/1', providerId });
    expect(await logistics.delivery({ ...parcel, providerId })).toEqual({ outcome: 'failed', code: 'LOST' });
    expect(await logistics.delivery({ ...parcel, providerId })).toMatchObject({ outcome: 'delivered' });
  });
});

describe('rates', () => {
  it('answers errors at the rate of the settings, without effect', async () => {
    let dice = 0;
    // Two throws a request, the first for the error: every fourth request fails.
    const { payments, ledger } = await gateway({ errorRate: 0.25 }, () => ((dice += 1) % 8 === 1 ? 0.2 : 0.9));
    const answers = Array.from({ length: 40 }, (_, i) =>
      payments.authorize({ ...request, key: `o1/pay/${i}` }).then(
        () => 'answered',
        () => 'failed',
      ),
    );
    const failed = (await Promise.all(answers)).filter((answer) => answer === 'failed');
    expect(failed).toHaveLength(10);
    expect(await ledger()).toHaveLength(30);
  });

  it('always has the effect and never answers at a timeout rate of 1', async () => {
    const { payments, ledger } = await gateway({ timeoutAfterSuccessRate: 1 });
    const answers = [1, 2, 3].map((i) => payments.authorize({ ...request, key: `o1/pay/${i}` }, soon()));
    for (const answer of await Promise.allSettled(answers)) expect(answer.status).toBe('rejected');
    expect(await ledger()).toHaveLength(3);
  });
});

describe('the wire', () => {
  it('answers 400 to unknown fields and impossible amounts', async () => {
    const { payments, ledger } = await gateway();
    const refused = { code: 'DEPENDENCY_REFUSED', retryable: false };
    const unknownField = { ...request, cardNumber: '4111' };
    await expect(payments.authorize(unknownField)).rejects.toMatchObject(refused);
    await expect(payments.authorize({ ...request, amount: 1.5 })).rejects.toMatchObject(refused);
    await expect(payments.authorize({ ...request, amount: -1 })).rejects.toMatchObject(refused);
    expect(await ledger()).toEqual([]);
  });

  it('keeps the card token out of the ledger', async () => {
    const { payments, ledger } = await gateway();
    await payments.authorize({ ...request, token: 'tok_canary' });
    expect((await ledger()).join()).not.toContain('tok_canary');
  });

  it('reports a gateway that is not there as a retryable failure', async () => {
    const { url } = await gateway();
    for (const cleanup of cleanups.splice(1)) await cleanup();
    const failure = { code: 'DEPENDENCY_FAILED', retryable: true };
    await expect(openPayments(url).authorize(request)).rejects.toMatchObject(failure);
  });

  it('does not read a wrong address as "not found"', async () => {
    const { url } = await gateway();
    const failure = { code: 'DEPENDENCY_REFUSED', retryable: false };
    await expect(openPayments(`${url}/elsewhere`).find('o1/pay/1')).rejects.toMatchObject(failure);
  });

  it('closes at once although requests wait for an answer that never comes', async () => {
    const simulator = await startPaymentSimulator({ settings: { ...quiet, timeoutAfterSuccessRate: 1 } });
    const silent = openPayments(simulator.url).authorize(request);
    const failed = expect(silent).rejects.toMatchObject({ code: 'DEPENDENCY_FAILED' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const startedAt = performance.now();
    await simulator.close();
    await failed;
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
