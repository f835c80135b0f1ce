import { Redis } from 'ioredis';

import { openOrderSnapshots } from '../../../infra/order-snapshots/open.ts';
import type { OrderSnapshots } from '../../../infra/order-snapshots/port.ts';
import type { OrderId, TenantId } from '../../../schemas/ids.ts';
import { serve } from '../child-process.ts';

export type ReadsRequest =
  | { readonly kind: 'open'; readonly url: string; readonly keys: number; readonly bytes: number }
  | { readonly kind: 'leg'; readonly reader: Reader; readonly callers: number; readonly seconds: number };
export type Reader = 'snapshots' | 'ioredis';
export type ReadsAnswer = { readonly read: number; readonly seconds: number };

const tenantId = 'default' as TenantId;
/** Calls of one caller between two looks at the clock. */
const stride = 16;

let snapshots: OrderSnapshots | undefined;
let plain: Redis | undefined;
let ids: readonly OrderId[] = [];

/** The same bodies under the product's keys and under plain ones. */
async function open({ url, keys, bytes }: Extract<ReadsRequest, { readonly kind: 'open' }>): Promise<void> {
  snapshots = openOrderSnapshots(url);
  plain = new Redis(url, { enableOfflineQueue: true });
  ids = Array.from({ length: keys }, (_, index) => `order-${index}` as OrderId);
  const body = Buffer.alloc(bytes, 'x');
  await plain.ping();
  const writing = await snapshots.beginWriting();
  const snapshot = { version: 1, eventTime: '2026-01-01T00:00:00.000Z', parked: false, body };
  const mark = { epoch: 'bench', checkpoint: 'bench' as Parameters<typeof writing.put>[1]['checkpoint'] };
  for (let from = 0; from < ids.length; from += 100) {
    const some = ids.slice(from, from + 100);
    const writes = some.map((orderId) => ({ tenantId, orderId, snapshot, tier: 'fulfilled' as const }));
    await writing.put(writes, mark);
    await plain.mset(...some.flatMap((id) => [id, body]));
  }
}

/** A closed loop: so many callers, each with one read outstanding. */
async function runLeg(reader: Reader, callers: number, seconds: number): Promise<ReadsAnswer> {
  const readOne = readerOf(reader);
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  let read = 0;
  const caller = async (first: number): Promise<void> => {
    for (let at = first; performance.now() < until;) {
      for (let step = 0; step < stride; step += 1, at += 1) await readOne(ids[at % ids.length] as OrderId);
      read += stride;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, index) => caller(index * 97)));
  return { read, seconds: (performance.now() - startedAt) / 1_000 };
}

function readerOf(reader: Reader): (id: OrderId) => Promise<void> {
  const [cache, redis] = [snapshots, plain];
  if (cache === undefined || redis === undefined) throw new Error('open first');
  const found = (value: unknown): void => {
    if (value === null || value === undefined) throw new Error('a snapshot is missing');
  };
  if (reader === 'ioredis') return async (id) => found(await redis.getBuffer(id));
  return async (id) => found((await cache.get(tenantId, [id]))[0]);
}

serve(
  async (request: ReadsRequest): Promise<ReadsAnswer> => {
    if (request.kind === 'leg') return runLeg(request.reader, request.callers, request.seconds);
    await open(request);
    return { read: 0, seconds: 0 };
  },
  async () => {
    await snapshots?.close();
    plain?.disconnect();
  },
);
