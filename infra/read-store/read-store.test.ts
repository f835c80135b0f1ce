import pg from 'pg';
import { expect, it } from 'vitest';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import type { TenantId } from '../../schemas/ids.ts';
import { readStoreContract } from './contract.ts';
import { exampleViews } from './contract/tested-store.ts';
import { openMemoryReadStore } from './memory/memory-read-store.ts';
import { openReadStore } from './open.ts';
import { openPostgresReadStore } from './postgres/postgres-read-store.ts';

readStoreContract('memory', () => {
  const readStore = openMemoryReadStore();
  return Promise.resolve({ readStore, close: () => readStore.close() });
});

describeWithPostgres('on Postgres', () => {
  readStoreContract('postgres', async () => {
    const database = await freshDatabase();
    const readStore = openPostgresReadStore(database.url);
    return {
      readStore,
      close: async () => {
        await readStore.close();
        await database.drop();
      },
    };
  });

  it('lets several processes prepare a new database at the same moment', async () => {
    const database = await freshDatabase();
    const stores = Array.from({ length: 4 }, () => openReadStore(database.url));
    await Promise.all(stores.map((store) => store.prepare(exampleViews)));
    await Promise.all(stores.map((store) => store.close()));
    await database.drop();
    expect(stores).toHaveLength(4);
  });

  it('says VIEWS_UNAVAILABLE while its connections are cut, outlives it, and answers again', async () => {
    const database = await freshDatabase();
    const readStore = openPostgresReadStore(database.url);
    await readStore.prepare(exampleViews);
    await readStore.ping();
    const asleep = Promise.allSettled([1, 2, 3].map(() => readStore.ping()));
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'order-center views' and datname = current_database()",
    );
    await asleep;
    await expect.poll(() => readStore.ping().then(() => 'answered', () => 'failed')).toBe('answered'); // prettier-ignore
    await client.end();
    await readStore.close();
    await database.drop();
  });

  it('knows no checkpoint of a database that was never prepared, and makes nothing in it', async () => {
    const database = await freshDatabase();
    const readStore = openPostgresReadStore(database.url);
    expect(await readStore.checkpoints()).toEqual([]);
    await readStore.clearAll();
    await expect(readStore.loadCheckpoint('a', 'log')).rejects.toMatchObject({ code: 'VIEWS_UNAVAILABLE' });
    await readStore.close();
    await database.drop();
  });

  it('says VIEWS_UNAVAILABLE, to be tried again, where no Postgres listens and where the views were dropped', async () => {
    const unreachable = openPostgresReadStore('postgres://nobody@127.0.0.1:1/nothing');
    await expect(unreachable.ping()).rejects.toMatchObject({ code: 'VIEWS_UNAVAILABLE', retryable: true });
    await unreachable.close();
    const database = await freshDatabase();
    const readStore = openPostgresReadStore(database.url);
    const [view] = exampleViews;
    if (view === undefined) throw new Error('no view');
    const missing = readStore.find(view, [{ tenantId: 'shop' as TenantId, key: 'a' }]);
    await expect(missing).rejects.toMatchObject({ code: 'VIEWS_UNAVAILABLE', retryable: true });
    await readStore.close();
    await database.drop();
  });
});
