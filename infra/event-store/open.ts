import { openMemoryEventStore } from './memory/memory-event-store.ts';
import type { EventStore } from './port.ts';
import { openPostgresEventStore } from './postgres/open.ts';

/** The URL's scheme chooses the adapter: `postgres://…` or `memory:`. `embedded:` is made a `postgres://` by whoever starts it. */
export function openEventStore(url: string): Promise<EventStore> {
  const scheme = url.slice(0, url.indexOf(':'));
  if (scheme === 'memory') return Promise.resolve(openMemoryEventStore());
  if (scheme === 'postgres' || scheme === 'postgresql') return openPostgresEventStore(url);
  throw new Error(`EVENT_STORE_URL: no event store for the scheme ${scheme}:`);
}
