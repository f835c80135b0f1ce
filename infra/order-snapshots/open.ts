import { openMemoryOrderSnapshots } from './memory/memory-order-snapshots.ts';
import type { OrderSnapshots } from './port.ts';
import { openRedisOrderSnapshots, type RedisOrderSnapshotsOptions } from './redis/redis-order-snapshots.ts';

/**
 * CACHE_URL: redis://… or rediss://…; absent or `memory:` is this process's memory. Nothing is asked yet: a cache that
 * is not there stops nobody.
 */
export function openOrderSnapshots(url = 'memory:', options: RedisOrderSnapshotsOptions = {}): OrderSnapshots {
  const scheme = url.slice(0, url.indexOf(':'));
  if (scheme === 'memory') return openMemoryOrderSnapshots();
  if (scheme === 'redis' || scheme === 'rediss') return openRedisOrderSnapshots(url, options);
  throw new Error(`CACHE_URL: no snapshots for the scheme ${scheme}:`);
}
