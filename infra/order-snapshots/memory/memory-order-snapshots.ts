import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import type { OrderId, TenantId } from '../../../schemas/ids.ts';
import { isStale, snapshotLifeMs } from '../lives.ts';
import { snapshotsUnavailable } from '../unavailable.ts';
import type { OrderSnapshots, SnapshotWrite, SnapshotWriting, StoredSnapshot } from '../port.ts';

export type MemoryOrderSnapshotsOptions = {
  /** 50,000 if absent. */
  readonly entriesMax?: number;
  /** Of all bodies and keys; 64 MiB if absent: room for some 30,000 usual orders beside the process's own memory. */
  readonly bytesMax?: number;
  /** Milliseconds that only go up. */
  readonly now?: () => number;
};

/** What one entry costs beside its body and key. */
const overheadBytes = 400;

/**
 * Snapshots in this process: kept current only by a writer in the same process, so nothing is kept without one, not
 * even fills, and all is dropped with it.
 */
export function openMemoryOrderSnapshots({
  entriesMax = 50_000,
  bytesMax = 64 * 1024 * 1024,
  now = () => performance.now(),
}: MemoryOrderSnapshotsOptions = {}): OrderSnapshots {
  const entries = new LRUCache<string, SnapshotWrite>({
    max: entriesMax,
    maxSize: bytesMax,
    perf: { now },
    // Asks the clock each time, not once a millisecond by a timer.
    ttlResolution: 0,
    sizeCalculation: ({ snapshot }, key) => snapshot.body.length + 2 * key.length + overheadBytes,
  });
  const put = (write: SnapshotWrite): boolean => {
    const { tenantId, orderId, snapshot, tier } = write;
    const key = keyOf(tenantId, orderId);
    const known = entries.peek(key);
    if (known !== undefined && isStale(known.snapshot, { version: snapshot.version, tier })) return false;
    entries.set(key, write, { ttl: snapshotLifeMs[tier] });
    return true;
  };
  const putAll = (writes: readonly SnapshotWrite[]): number => writes.filter((write) => !put(write)).length;
  const writing = openWriting(entries, putAll);
  return {
    get: (tenantId, orderIds) =>
      Promise.resolve(orderIds.map((orderId) => entries.get(keyOf(tenantId, orderId))?.snapshot ?? null)),
    put: (writes) => Promise.resolve(writing.isHeld() ? putAll(writes) : writes.length),
    remove: (tenantId, orderIds) => {
      for (const orderId of orderIds) entries.delete(keyOf(tenantId, orderId));
      return Promise.resolve();
    },
    scan: () => scan(entries),
    beginWriting: writing.begin,
    status: () => ({ kind: 'memory', isUp: true, reading: 0 }),
    close: writing.close,
  };
}

type Entries = LRUCache<string, SnapshotWrite>;

// eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
async function* scan(entries: Entries): AsyncGenerator<StoredSnapshot> {
  for (const [key, write] of entries.entries()) yield { ...write, leftMs: entries.getRemainingTTL(key) };
}

/** Each hold ends the one before it, and begins with nothing: what was there may have changed while nobody wrote. */
function openWriting(entries: Entries, putAll: (writes: readonly SnapshotWrite[]) => number) {
  let current: AbortController | null = null;
  const drop = (): Promise<void> => {
    current?.abort();
    current = null;
    entries.clear();
    return Promise.resolve();
  };
  const begin = async (): Promise<SnapshotWriting> => {
    await drop();
    const mine = new AbortController();
    current = mine;
    return {
      mark: null,
      lost: mine.signal,
      clear: () => {
        entries.clear();
        return Promise.resolve();
      },
      // A mark would die with what it speaks of.
      put: (writes: readonly SnapshotWrite[]) => {
        if (current !== mine) return Promise.reject(snapshotsUnavailable('another writer took over'));
        return Promise.resolve(putAll(writes));
      },
      end: () => (current === mine ? drop() : Promise.resolve()),
    };
  };
  return { begin, isHeld: () => current !== null, close: drop };
}

function keyOf(tenantId: TenantId, orderId: OrderId): string {
  return `${tenantId}\n${orderId}`;
}
