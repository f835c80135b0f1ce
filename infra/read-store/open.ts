import { openMemoryReadStore } from './memory/memory-read-store.ts';
import type { ReadStore } from './port.ts';
import { openPostgresReadStore } from './postgres/postgres-read-store.ts';

/** The URL's scheme chooses the adapter: `postgres://…` or `memory:`. Nothing is asked yet: call `prepare` next. */
export function openReadStore(url: string): ReadStore {
  const scheme = url.slice(0, url.indexOf(':'));
  if (scheme === 'memory') return openMemoryReadStore();
  if (scheme === 'postgres' || scheme === 'postgresql') return openPostgresReadStore(url);
  throw new Error(`READ_DB_URL: no read store for the scheme ${scheme}:`);
}
