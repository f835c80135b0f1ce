import { setTimeout as wait } from 'node:timers/promises';

import { forEachBounded } from './bounded.ts';
import { jsonOf } from './http-client.ts';
import type { HttpAnswer, HttpClient } from './http-client.ts';

/** What a reader sees of an order. */
export type OrderReading = {
  readonly status: string;
  readonly cancelReason: string | null;
  readonly version: number;
  readonly total: number;
};

/** A line of the analysts' feed. */
export type FeedEvent = {
  readonly type: string;
  readonly stream: string;
  readonly commandId: string;
  readonly recordedAt?: string;
  readonly data: Readonly<Record<string, unknown>>;
};

const readsAtOnce = 16;
const retriesMax = 50;
const retryAfterMs = 200;

/** @returns null where there is no such order. @throws Error when the system does not answer for 10 s */
export async function readOrder(client: HttpClient, orderId: string): Promise<OrderReading | null> {
  const answer = await readPatiently(client, `/v1/orders/${orderId}`);
  if (answer === null) return null;
  return readingOf(jsonOf(answer));
}

function readingOf({ status, cancelReason, version, totals }: Readonly<Record<string, unknown>>): OrderReading {
  return {
    status: String(status),
    cancelReason: typeof cancelReason === 'string' ? cancelReason : null,
    version: Number(version),
    total: Number((totals as { readonly total?: number } | undefined)?.total),
  };
}

/** By order id. */
export async function readOrders(
  client: HttpClient,
  orderIds: Iterable<string>,
): Promise<ReadonlyMap<string, OrderReading | null>> {
  const readings = new Map<string, OrderReading | null>();
  await forEachBounded(orderIds, readsAtOnce, async (id) => void readings.set(id, await readOrder(client, id)));
  return readings;
}

export type Awaiting = {
  readonly orderIds: readonly string[];
  readonly status: string;
  /** Of `performance.now()`. */
  readonly deadline: number;
};

/** Looks again until every order has the status, or time is up. @returns the orders without it, with what they have */
export async function awaitStatus(
  client: HttpClient,
  { orderIds, status, deadline }: Awaiting,
): Promise<ReadonlyMap<string, OrderReading | null>> {
  let left: ReadonlyMap<string, OrderReading | null> = new Map(orderIds.map((id) => [id, null]));
  for (;;) {
    const readings = await readOrders(client, left.keys());
    left = new Map([...readings].filter(([, reading]) => reading?.status !== status));
    if (left.size === 0 || performance.now() >= deadline) return left;
    await wait(250);
  }
}

const pageSize = 5_000;

/** Every event of the feed to its head, oldest first. @param query as `types=OrderPlaced&category=order` */
export async function readFeed(client: HttpClient, query: string): Promise<readonly FeedEvent[]> {
  const events: FeedEvent[] = [];
  for await (const event of eachFeedEvent(client, query)) events.push(event);
  return events;
}

/** The same, a page at a time. */
export async function* eachFeedEvent(client: HttpClient, query: string): AsyncGenerator<FeedEvent> {
  let after = '';
  for (;;) {
    const page = await readPatiently(client, `/v1/events?${query}&limit=${pageSize}${after}`);
    if (page === null) throw new Error('there is no feed at /v1/events');
    const lines = page.text.trimEnd().split('\n');
    const { checkpoint } = JSON.parse(lines.pop() ?? '{}') as { readonly checkpoint?: string | null };
    for (const line of lines) yield JSON.parse(line) as FeedEvent;
    if (lines.length < pageSize || typeof checkpoint !== 'string') return;
    after = `&after=${encodeURIComponent(checkpoint)}`;
  }
}

/** Every order of the list with what is read of it, a page at a time. */
export async function* eachListedOrder(client: HttpClient): AsyncGenerator<readonly [string, OrderReading]> {
  let after = '';
  for (;;) {
    const page = await readPatiently(client, `/v1/orders?limit=200${after}`);
    if (page === null) throw new Error('there is no list at /v1/orders');
    const { items = [], nextCursor = null } = jsonOf(page) as OrdersPage;
    for (const item of items) yield [String(item.orderId), readingOf(item)];
    if (nextCursor === null) return;
    after = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
}

type OrdersPage = {
  readonly items?: readonly Readonly<Record<string, unknown>>[];
  readonly nextCursor?: string | null;
};

/** Asks again while the system is busy or away, at most 10 s; null where it says 404. */
async function readPatiently(client: HttpClient, path: string): Promise<HttpAnswer | null> {
  let reason = '';
  for (let attempt = 0; attempt < retriesMax; attempt += 1) {
    const outcome = await client.send({ path });
    if (!('noAnswer' in outcome) && outcome.status === 200) return outcome;
    if (!('noAnswer' in outcome) && outcome.status === 404) return null;
    reason = 'noAnswer' in outcome ? outcome.noAnswer : `${outcome.status} ${outcome.text.slice(0, 300)}`;
    await wait(retryAfterMs);
  }
  throw new Error(`GET ${path}: ${reason}`);
}
