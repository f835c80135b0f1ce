import { freshDatabase } from '../../../test/postgres.ts';
import { openPostgresEventStore } from '../postgres/open.ts';
import type { EventStore } from '../port.ts';
import type { StoreUnderTest } from './harness.ts';

/** The event store on a database of its own, and as many further processes' views of it as a test asks for. */
export async function openOnPostgres(): Promise<StoreUnderTest & { readonly url: string }> {
  const database = await freshDatabase();
  const { url } = database;
  const opened: EventStore[] = [];
  const open = async (): Promise<EventStore> => {
    const store = await openPostgresEventStore(url, { readConnectionsMax: 4 });
    opened.push(store);
    return store;
  };
  const close = async (): Promise<void> => {
    // One that the test closed itself has nothing left to close.
    await Promise.allSettled(opened.map((store) => store.close()));
    await database.drop();
  };
  return { url, store: await open(), second: open, close };
}
