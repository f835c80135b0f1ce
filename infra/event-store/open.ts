import type { StoreKeeper } from './keeper.ts';
import { openMemoryEventStore } from './memory/memory-event-store.ts';
import type { EventStore } from './port.ts';
import { openPostgresStoreKeeper } from './postgres/keeper.ts';
import { openPostgresEventStore } from './postgres/open.ts';

/**
 * For an operator's work on the store itself; `memory:` has none, for it ends with its process.
 * @throws OperationalFailure STORE_UNAVAILABLE
 */
export function openStoreKeeper(url: string): Promise<StoreKeeper> {
  return openPostgresStoreKeeper(url);
}

/** The URL's scheme chooses the adapter: `postgres://…` or `memory:`. `embedded:` is made a `postgres://` by whoever starts it. */
export function openEventStore(url: string): Promise<EventStore> {
  const scheme = url.slice(0, url.indexOf(':'));
  if (scheme === 'memory') return Promise.resolve(openMemoryEventStore());
  if (scheme === 'postgres' || scheme === 'postgresql') return openPostgresEventStore(url);
  throw new Error(`EVENT_STORE_URL: no event store for the scheme ${scheme}:`);
}
