import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';

const pairs = 1_000;
const warmUpPairs = 100;
/** Of the medians, S7: who measures must not learn which ids exist. */
const differenceMax = 0.2;

/**
 * Whether an order of another tenant can be told from one that never was, by what is answered or by how long it takes.
 * The two are asked in turns, so that whatever else the machine does slows both alike, and judged by their medians.
 */
export async function compareNotFound(
  url: string,
): Promise<{ readonly fact: string; readonly problems: readonly string[] }> {
  const foreign = await placeOrder(url);
  const times = { foreign: [] as number[], unknown: [] as number[] };
  const bodies = new Set<string>();
  for (let pair = 0; pair < pairs + warmUpPairs; pair += 1) {
    const first = pair % 2 === 0 ? 'foreign' : 'unknown';
    for (const which of [first, first === 'foreign' ? 'unknown' : 'foreign'] as const) {
      const { tookMs, body } = await ask(url, which === 'foreign' ? foreign : randomUUID());
      if (pair >= warmUpPairs) times[which].push(tookMs);
      bodies.add(body);
    }
  }
  const [a, b] = [median(times.foreign), median(times.unknown)];
  const fact = `404 of a foreign order ${a.toFixed(3)} ms, of an unknown one ${b.toFixed(3)} ms (medians of ${pairs})`;
  const alike = Math.abs(a - b) / Math.max(a, b) <= differenceMax;
  return {
    fact,
    problems: [
      ...(alike ? [] : [`time tells a foreign order from an unknown one: ${fact}`]),
      ...(bodies.size === 1 ? [] : [`the answers tell a foreign order from an unknown one: ${[...bodies].join(' ')}`]),
    ],
  };
}

async function placeOrder(url: string): Promise<string> {
  const answer = await fetch(`${url}/v1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), 'x-tenant-id': 'not-found-owner' },
    body: JSON.stringify({
      customerId: 'customer-1',
      currency: 'EUR',
      lines: [{ sku: 'mug', quantity: 1, unitPrice: 100 }],
      payments: [{ method: 'bank_slip' }],
    }),
  });
  if (answer.status !== 201) throw new Error(`an order for the comparison got ${answer.status}`);
  return ((await answer.json()) as { readonly orderId: string }).orderId;
}

/** @returns the body without what is the request's own: its path and its trace id */
async function ask(url: string, orderId: string): Promise<{ readonly tookMs: number; readonly body: string }> {
  const startedMs = performance.now();
  const answer = await fetch(`${url}/v1/orders/${orderId}`, { headers: { 'x-tenant-id': 'not-found-stranger' } });
  const text = await answer.text();
  const tookMs = performance.now() - startedMs;
  const { instance, traceId, ...same } = JSON.parse(text) as Record<string, unknown>;
  if (instance !== `/v1/orders/${orderId}` || typeof traceId !== 'string') throw new Error(`unexpected: ${text}`);
  return { tookMs, body: `${answer.status} ${JSON.stringify(same)}` };
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
