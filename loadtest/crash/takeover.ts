import { jsonOf } from '../orders/http-client.ts';
import type { HttpClient } from '../orders/http-client.ts';
import type { Pair } from './deployment.ts';
import { until } from '../system/until.ts';

/** From the strike to the first progress of the spare, in ms; null: none in time. */
export type Takeover = { readonly projectorMs: number | null; readonly fulfillmentMs: number | null };

export const takeoverWithinMs = 8_000;

export type Strike = {
  readonly client: HttpClient;
  /** Kills or stops those that work. */
  readonly hit: () => Promise<unknown>;
  /** Lets orders come, so that there is something to make progress with. */
  readonly flow: () => void;
};

/**
 * Strikes those that work, then watches for the first order in the list and the first event of a saga that nobody but
 * the spares can have made.
 */
export async function strike({ client, hit, flow }: Strike): Promise<Takeover> {
  await hit();
  const struckAt = performance.now();
  // What was on its way to the database when they were struck may still arrive; nothing comes after it.
  const [newest, sagaEvents] = [await settled(() => newestOrder(client)), await settled(() => sagaHead(client))];
  flow();
  const firstChange = async (read: () => Promise<string>, before: string): Promise<number | null> => {
    const withinMs = 2 * takeoverWithinMs;
    return (await until(async () => (await read()) !== before, { withinMs })) ? performance.now() - struckAt : null;
  };
  const [projectorMs, fulfillmentMs] = await Promise.all([
    firstChange(() => newestOrder(client), newest),
    firstChange(() => sagaHead(client), sagaEvents),
  ]);
  return { projectorMs, fulfillmentMs };
}

/** Both at once. */
export function hit({ projector, fulfillment }: Pair, how: 'kill' | 'pause'): Promise<unknown> {
  return Promise.all([projector[how](), fulfillment[how]()]);
}

/** One sentence for each takeover that came too late. */
export function lateTakeovers(takeover: Takeover): readonly string[] {
  return Object.entries(takeover).flatMap(([what, ms]) =>
    ms !== null && ms < takeoverWithinMs
      ? []
      : [`${what.replace('Ms', '')} was taken over after ${ms === null ? 'no' : Math.round(ms)} ms`],
  );
}

/** The same twice in a row. */
async function settled(read: () => Promise<string>): Promise<string> {
  let last = await read();
  await until(
    async () => {
      const next = await read();
      const isSame = next === last;
      last = next;
      return isSame;
    },
    { withinMs: 1_000, everyMs: 50 },
  );
  return last;
}

async function newestOrder(client: HttpClient): Promise<string> {
  const answer = await client.send({ path: '/v1/orders?limit=1' });
  if ('noAnswer' in answer) return answer.noAnswer;
  const { items } = jsonOf(answer) as { readonly items?: readonly { readonly orderId: string }[] };
  return items?.[0]?.orderId ?? 'none';
}

/** The position of the sagas' last event. */
async function sagaHead(client: HttpClient): Promise<string> {
  let after = '';
  for (;;) {
    const answer = await client.send({ path: `/v1/events?category=fulfillment&limit=5000${after}` });
    if ('noAnswer' in answer) return answer.noAnswer;
    const lines = answer.text.trimEnd().split('\n');
    const { checkpoint } = JSON.parse(lines.at(-1) ?? '{}') as { readonly checkpoint?: string | null };
    if (lines.length <= 5_000) return `${lines.length} ${lines.at(-2) ?? ''}`;
    after = `&after=${encodeURIComponent(checkpoint ?? '')}`;
  }
}
