import { openMemoryOrderSnapshots } from './memory/memory-order-snapshots.ts';
import type { OrderSnapshots } from './port.ts';

/** CACHE_URL: absent or `memory:` is this process's memory. */
export function openOrderSnapshots(url = 'memory:'): OrderSnapshots {
  if (url.startsWith('memory:')) return openMemoryOrderSnapshots();
  throw new Error(`CACHE_URL: no snapshots for the scheme ${url.slice(0, url.indexOf(':') + 1)}`);
}
