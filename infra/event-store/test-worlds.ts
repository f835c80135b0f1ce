import { freshDatabase } from '../../test/postgres.ts';
import { openMemoryEventStore } from './memory/memory-event-store.ts';
import type { EventStore } from './port.ts';
import { openPostgresEventStore } from './postgres/open.ts';

/** A store, and what other processes on it would open. */
export type World = {
  readonly store: EventStore;
  readonly second: () => Promise<EventStore>;
  readonly close: () => Promise<void>;
};

/** By the name of their adapter. */
export const worlds: Readonly<Record<string, () => Promise<World>>> = {
  memory: () => {
    const store = openMemoryEventStore();
    return Promise.resolve({ store, second: () => Promise.resolve(store), close: () => store.close() });
  },
  postgres: async () => {
    const database = await freshDatabase();
    const stores = [await openPostgresEventStore(database.url)];
    const second = async (): Promise<EventStore> => {
      const store = await openPostgresEventStore(database.url);
      stores.push(store);
      return store;
    };
    const close = async (): Promise<void> => {
      await Promise.all(stores.map((store) => store.close()));
      await database.drop();
    };
    return { store: stores[0] as EventStore, second, close };
  },
};
