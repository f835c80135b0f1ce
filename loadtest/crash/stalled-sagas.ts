import type { HttpClient } from '../orders/http-client.ts';
import { readFeed } from '../orders/read-orders.ts';
import type { FeedEvent } from '../orders/read-orders.ts';

/** Of so many orders what their sagas did last; the others mostly wait for the same. */
const toldMax = 5;
const lastEvents = 4;

/**
 * Why orders were not delivered in time, in the words of their sagas: one sentence each. A saga that waits for its timer is
 * late, one whose last event is an attempt was lost, one that has none was never told.
 */
export async function stalledSagas(client: HttpClient, orderIds: Iterable<string>): Promise<readonly string[]> {
  const wanted = [...orderIds].slice(0, toldMax);
  if (wanted.length === 0) return [];
  const streams = new Map(wanted.map((orderId): [string, FeedEvent[]] => [`fulfillment-${orderId}`, []]));
  for (const event of await readFeed(client, 'category=fulfillment')) streams.get(event.stream)?.push(event);
  return [...streams].map(([stream, events]) => {
    const last = events.slice(-lastEvents).map(inWords).join(', ');
    return `${stream} ${events.length === 0 ? 'was never begun' : `did last: ${last}`}`;
  });
}

function inWords({ type, data, recordedAt = '' }: FeedEvent): string {
  const { step, code, kind, delayMs } = data;
  const parts = [step, code, kind, delayMs].filter((part) => typeof part === 'string' || typeof part === 'number');
  return [type, ...parts, `at ${recordedAt.slice(11, 23)}`].join(' ');
}
