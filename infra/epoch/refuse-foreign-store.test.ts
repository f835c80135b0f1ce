import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { describeWithPostgres, freshDatabase, type FreshDatabase } from '../../test/postgres.ts';
import type { Position } from '../../schemas/envelope.ts';
import { appended } from '../event-store/contract/examples.ts';
import { openEventStore } from '../event-store/open.ts';
import { openReadStore } from '../read-store/open.ts';
import { readKnownEpochs, storeLocation } from './known-epochs.ts';
import { refuseForeignStore } from './refuse-foreign-store.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'order-center-epoch-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

describe('where a data folder says a store is', () => {
  it('names host and database, and no user or password', () => {
    expect(storeLocation('postgres://me:secret@db:6543/shop?sslmode=disable')).toBe('postgres://db:6543/shop');
    expect(storeLocation('postgresql://db/shop')).toBe('postgres://db:5432/shop');
    expect(storeLocation('embedded:')).toBe('embedded:');
    expect(storeLocation('memory:')).toBeNull();
  });
});

describe('a store in memory', () => {
  it('is never refused for what a data folder knows, and leaves no word there', async () => {
    const readStore = openReadStore('memory:');
    for (let start = 0; start < 2; start += 1) {
      const store = await openEventStore('memory:');
      await refuseForeignStore({ store, readStore, memory: { dataDir, eventStoreUrl: 'memory:' } });
    }
    expect(await readKnownEpochs(dataDir)).toEqual({});
  });
});

describeWithPostgres('a start', () => {
  let database: FreshDatabase;
  let viewsDatabase: FreshDatabase;
  beforeEach(async () => {
    [database, viewsDatabase] = [await freshDatabase(), await freshDatabase()];
  });
  afterEach(async () => {
    await database.drop();
    await viewsDatabase.drop();
  });

  const start = async (url = database.url, folder: string | null = dataDir): Promise<void> => {
    const store = await openEventStore(url);
    const readStore = openReadStore(viewsDatabase.url);
    try {
      const memory = folder === null ? null : { dataDir: folder, eventStoreUrl: url };
      await refuseForeignStore({ store, readStore, memory });
    } finally {
      await store.close();
      await readStore.close();
    }
  };
  const refusal = (detail: string | RegExp) => ({
    code: 'FOREIGN_STORE',
    retryable: false,
    message: expect.stringMatching(detail) as string,
  });

  it('on empty databases is not refused, nor is the next one, and the data folder remembers the store', async () => {
    await start();
    await start();
    const known = await readFile(join(dataDir, 'event-stores.json'), 'utf8');
    expect(JSON.parse(known)).toEqual({ [storeLocation(database.url) ?? '']: await epochOf(database.url) });
  });

  it('is not refused where views follow the log, wherever in it they stand', async () => {
    const [first, last] = await grown(database.url, 2);
    await follow('order-summary', first);
    await follow('fulfillment', last);
    await start();
    await start();
  });

  it('is refused on views of another store', async () => {
    await grown(database.url, 1);
    await follow('order-summary', 'deadbeef.1.0' as Position);
    await expect(start()).rejects.toMatchObject(
      refusal(/order-summary has followed another event store \(it is at deadbeef\.1\.0\); this one has epoch \w{8}$/),
    );
    expect(await readKnownEpochs(dataDir)).toEqual({});
  });

  it('is refused where the event store was dropped and made anew, and the views are elsewhere', async () => {
    const [position] = await grown(database.url, 1);
    await follow('order-summary', position);
    await start(database.url, null);
    await emptied(database.url);
    await expect(start(database.url, null)).rejects.toMatchObject(refusal(/another event store .* and is empty$/));
  });

  it('is refused where only the data folder knew the store that was emptied', async () => {
    await start();
    await emptied(database.url);
    await expect(start()).rejects.toMatchObject(refusal(/at its last start the event store at .* had epoch .* empty$/));
    // Nothing was learned by the refusal.
    await expect(start()).rejects.toMatchObject(refusal(/at its last start/));
  });

  it('is not refused where the data folder knows a store at another place', async () => {
    await start();
    const other = await freshDatabase();
    await start(other.url);
    await start();
    expect(Object.keys(await readKnownEpochs(dataDir))).toHaveLength(2);
    await other.drop();
  });

  it('is refused where the store was set back to a dump that the views are ahead of, also once it has grown again', async () => {
    await grown(database.url, 2);
    const dump = await dumped(database.url);
    const [later] = await grown(database.url, 1);
    await follow('order-summary', later);
    await restored(database.url, dump);
    const refused = refusal(/order-summary has seen position .* set back to an older state$/);
    await expect(start()).rejects.toMatchObject(refused);
    await grown(database.url, 3);
    await expect(start()).rejects.toMatchObject(refused);
  });

  it('is not refused where store and views were set back together', async () => {
    const [position] = await grown(database.url, 2);
    await follow('order-summary', position);
    const dump = await dumped(database.url);
    await start();
    await grown(database.url, 1);
    await restored(database.url, dump);
    await start();
  });

  const follow = async (consumer: string, to: Position | undefined): Promise<void> => {
    const readStore = openReadStore(viewsDatabase.url);
    await readStore.prepare([]);
    await readStore.moveCheckpoint({ consumer, partition: 'log', from: null, to: to ?? ('none' as Position) });
    await readStore.close();
  };
});

async function epochOf(url: string): Promise<string> {
  const store = await openEventStore(url);
  await store.close();
  return store.epoch;
}

/** Positions of new orders' events, in order. */
async function grown(url: string, count: number): Promise<readonly Position[]> {
  const store = await openEventStore(url);
  const positions: Position[] = [];
  for (let index = 0; index < count; index += 1) positions.push((await appended(store)).position);
  await store.close();
  return positions;
}

/** As `drop database` and `create database`: the next start makes the schema again. */
function emptied(url: string): Promise<void> {
  return execute(url, 'drop schema order_center cascade');
}

type Dump = { readonly events: readonly unknown[] };

/** What pg_dump would keep of the events and of the store's own row. */
async function dumped(url: string): Promise<Dump> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ event: unknown }>('select to_jsonb(e) as event from order_center.events e');
  await client.end();
  return { events: rows.map(({ event }) => event) };
}

async function restored(url: string, { events }: Dump): Promise<void> {
  await execute(url, 'truncate order_center.events');
  const insert = `insert into order_center.events
    select r.* from jsonb_array_elements($1) as x (e), jsonb_populate_record(null::order_center.events, x.e) as r`;
  await execute(url, insert, [JSON.stringify(events)]);
}

async function execute(url: string, sql: string, values: readonly unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql, [...values]);
  } finally {
    await client.end();
  }
}
