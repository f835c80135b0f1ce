import { randomUUID } from 'node:crypto';
import type { OrderSnapshots, SnapshotWrite, SnapshotWriting, WriterMark } from '../port.ts';
import { snapshotsUnavailable } from '../unavailable.ts';
import { openConnection, type RedisConnection } from './connection.ts';
import { decode, decodeMark, defaultPrefix, encodeMark, keysUnder, type Keys } from './layout.ts';
import { putGuarded } from './put-script.ts';
import { readTogether } from './read-together.ts';
import { dropAll, walk } from './walk.ts';

export type RedisOrderSnapshotsOptions = {
  /** Before every key; `order-center:1:` if absent. */
  readonly prefix?: string;
  /** How long one read may take; 200 ms if absent: a reader has another way, and takes it soon. */
  readonly readTimeoutMs?: number;
  /** 1,000 ms if absent: nobody waits for a write but the writer, which would have to begin again. */
  readonly writeTimeoutMs?: number;
};

/** Of one script call: Redis does nothing else meanwhile. */
const writesPerCallMax = 100;
const bytesPerCallMax = 512 * 1024;

/** Snapshots of readers' fills that wait for Redis; beyond, a fill fails at once. */
const fillsMax = 2_000;

/**
 * Snapshots in one Redis (a primary, perhaps with replicas; not a cluster: the writer's mark is checked together with
 * every key). Reads and writes have a connection each, so that a large write delays no reader by a queue.
 * @throws OperationalFailure INVALID_CONFIGURATION; a Redis that is not there is no error here
 */
export function openRedisOrderSnapshots(
  url: string,
  { prefix = defaultPrefix, readTimeoutMs = 200, writeTimeoutMs = 1_000 }: RedisOrderSnapshotsOptions = {},
): OrderSnapshots {
  const keys = keysUnder(prefix);
  const reads = openConnection(url, { name: 'order-center/snapshot-reads', timeoutMs: readTimeoutMs });
  const writes = openConnection(url, { name: 'order-center/snapshot-writes', timeoutMs: writeTimeoutMs });
  const reading = readTogether(reads, decode);
  let filling = 0;
  return {
    get: (tenantId, orderIds) => reading.read(orderIds.map((orderId) => keys.order(tenantId, orderId))),
    put: async (wanted) => {
      if (filling + wanted.length > fillsMax) throw snapshotsUnavailable(`${filling} fills are waiting`);
      filling += wanted.length;
      try {
        let refused = 0;
        for (const part of inCalls(wanted)) {
          refused += (await writes.call((redis) => putGuarded(redis, keys, { writes: part, fence: null }))) ?? 0;
        }
        return refused;
      } finally {
        filling -= wanted.length;
      }
    },
    remove: async (tenantId, orderIds) => {
      const names = orderIds.map((orderId) => keys.order(tenantId, orderId));
      if (names.length > 0) await writes.call((redis) => redis.unlink(names));
    },
    scan: () => walk(reads, keys),
    beginWriting: () => beginWriting(writes, keys),
    status: () => ({ kind: 'redis', isUp: reads.isUp() && writes.isUp(), reading: reading.outstanding() }),
    close: async () => {
      await Promise.all([reads.close(), writes.close()]);
    },
  };
}

/**
 * Each call moves the mark from what this hold wrote last to one that nobody wrote before. So a call finds out when
 * another writer wrote, and when the Redis that answers is not the one that took the call before: also behind a proxy
 * or an address that moves, where no connection is cut.
 */
async function beginWriting(connection: RedisConnection, keys: Keys): Promise<SnapshotWriting> {
  const lost = connection.untilCut();
  const hold = randomUUID();
  let calls = 0;
  let stored = (await connection.call((redis) => redis.get(keys.mark))) ?? '';
  let reached = decodeMark(stored);
  const put = async (writes: readonly SnapshotWrite[], mark: WriterMark | null): Promise<number> => {
    if (lost.aborted) throw snapshotsUnavailable('the connection to Redis was cut');
    const expected = stored;
    const next = encodeMark(mark, `${hold}.${(calls += 1)}`);
    const refused = await connection.call((redis) => putGuarded(redis, keys, { writes, fence: { expected, next } }));
    if (refused === null) throw snapshotsUnavailable('another writer, or another Redis, has the mark');
    stored = next;
    return refused;
  };
  return {
    mark: reached,
    lost,
    clear: async () => {
      await dropAll(connection, keys);
      stored = '';
      reached = null;
    },
    put: async (writes, mark) => {
      const parts = inCalls(writes);
      const last = parts.pop() ?? [];
      let refused = 0;
      // Until the last part is in, the cache is only as far as before.
      for (const part of parts) refused += await put(part, reached);
      refused += await put(last, mark);
      reached = mark;
      return refused;
    },
    end: () => Promise.resolve(),
  };
}

/** In parts of a bounded number and size, each at least one. */
function inCalls(writes: readonly SnapshotWrite[]): SnapshotWrite[][] {
  const parts: SnapshotWrite[][] = [];
  let part: SnapshotWrite[] = [];
  let bytes = 0;
  for (const write of writes) {
    const size = write.snapshot.body.length;
    if (part.length >= writesPerCallMax || (part.length > 0 && bytes + size > bytesPerCallMax)) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(write);
    bytes += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
