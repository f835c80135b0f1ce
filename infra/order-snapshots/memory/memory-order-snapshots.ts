import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import type { OrderSnapshot, OrderSnapshots, SnapshotTier, SnapshotWrite } from '../port.ts';

export type MemoryOrderSnapshotsOptions = {
  /** 50,000 if absent. */
  readonly entriesMax?: number;
  /** Of all bodies, as UTF-16; 64 MiB if absent: room for some 15,000 usual orders beside the process's own memory. */
  readonly bytesMax?: number;
  /** Milliseconds that only go up. */
  readonly now?: () => number;
};

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const lifeMs: Readonly<Record<SnapshotTier, number>> = {
  unpaid: 15 * minuteMs,
  'in-progress': 24 * hourMs,
  fulfilled: 72 * hourMs,
  // So short that no late reader leaves an old answer for long.
  fill: 30_000,
};

type Entry = { readonly snapshot: OrderSnapshot; readonly filled: boolean };

/** Snapshots in this process: kept current only by a writer in the same process. */
export function openMemoryOrderSnapshots({
  entriesMax = 50_000,
  bytesMax = 64 * 1024 * 1024,
  now = () => performance.now(),
}: MemoryOrderSnapshotsOptions = {}): OrderSnapshots {
  const entries = new LRUCache<string, Entry>({
    max: entriesMax,
    maxSize: bytesMax,
    perf: { now },
    // Asks the clock each time, not once a millisecond by a timer.
    ttlResolution: 0,
    sizeCalculation: ({ snapshot }, key) => 2 * (snapshot.body.length + key.length) + 200,
  });
  const put = ({ tenantId, orderId, snapshot, tier }: SnapshotWrite): boolean => {
    const key = `${tenantId}\n${orderId}`;
    const filled = tier === 'fill';
    const known = entries.get(key);
    if (known !== undefined && isStale(known, { snapshot, filled })) return false;
    entries.set(key, { snapshot, filled }, { ttl: lifeMs[tier] });
    return true;
  };
  return {
    get: (tenantId, orderIds) =>
      Promise.resolve(orderIds.map((orderId) => entries.get(`${tenantId}\n${orderId}`)?.snapshot ?? null)),
    put: (writes) => Promise.resolve(writes.filter((write) => !put(write)).length),
    writerRestarted: () => {
      entries.clear();
      return Promise.resolve();
    },
    close: () => {
      entries.clear();
      return Promise.resolve();
    },
  };
}

/** Older than what is there; or a fill of what the writer wrote. */
function isStale(known: Entry, next: Entry): boolean {
  if (next.snapshot.version !== known.snapshot.version) return next.snapshot.version < known.snapshot.version;
  return next.filled;
}
