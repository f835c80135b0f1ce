import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';

import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { eventStoreContract } from './contract.ts';
import { appended, eventsOf, exampleAppend, idsOf, newOrderStream, readUntil } from './contract/examples.ts';
import { openOnPostgres } from './contract/on-postgres.ts';
import { beginEarly, connectAsAppender, connectTo, insertEvent } from './contract/postgres-database.ts';
import type { EventStore } from './port.ts';
import { openPostgresEventStore } from './postgres/open.ts';

type Fresh = Awaited<ReturnType<typeof openOnPostgres>>;

function onFresh(body: (fresh: Fresh) => Promise<void>): () => Promise<void> {
  return async () => {
    const fresh = await openOnPostgres();
    try {
      await body(fresh);
    } finally {
      await fresh.close();
    }
  };
}

describeWithPostgres('a real Postgres', () => {
  eventStoreContract('Postgres', openOnPostgres);

  describe('the global order on Postgres', () => {
    it(
      'does not skip an append that took its transaction id early and commits late',
      onFresh(async ({ url, store }) => {
        const slow = await connectAsAppender(url);
        await beginEarly(slow);
        const fast = await appended(store, { events: eventsOf(2) });
        expect(await store.readLog({ after: null, limit: 10 })).toEqual({ events: [], checkpoint: null, atEnd: true });
        expect(await store.head()).toBeNull();
        const late = await insertEvent(slow);
        await slow.query('commit');
        expect(idsOf(await readUntil(store, 3))).toEqual([late, ...idsOf(fast.events)]);
      }),
    );

    it(
      'orders transaction ids as numbers: the tenth comes after the ninth',
      onFresh(async ({ url, store }) => {
        const [ninth, tenth] = [await appended(store), await appended(store)];
        const owner = await connectTo(url);
        for (const [tx, { events }] of Object.entries({ 9: ninth, 10: tenth })) {
          await owner.query('update order_center.events set tx = $1::text::xid8 where event_id = $2', [
            tx,
            events[0]?.eventId,
          ]);
        }
        const head = await store.head();
        expect(head).toMatch(/\.10\.0$/);
        const filtered = await store.readLog({ after: null, limit: 10, categories: ['fulfillment'] });
        expect(filtered).toEqual({ events: [], checkpoint: head, atEnd: true });
        expect(idsOf(await readUntil(store, 2))).toEqual([...idsOf(ninth.events), ...idsOf(tenth.events)]);
      }),
    );

    it(
      'shows a follower each event once and in one order, where transactions commit in the inverse of their order',
      onFresh(async ({ url, store, second }) => {
        const [one, two, three] = [
          await connectAsAppender(url),
          await connectAsAppender(url),
          await connectAsAppender(url),
        ];
        const following = readUntil(await second(), 7, { limit: 2 });
        const wanted: string[] = [];
        for (const client of [one, two, three]) {
          await beginEarly(client);
          wanted.push(...idsOf((await appended(store)).events));
        }
        for (const client of [three, two, one]) {
          wanted.push(await insertEvent(client));
          await client.query('commit');
          await pause(20);
        }
        wanted.push(...idsOf((await appended(store)).events));
        const seen = idsOf(await following);
        expect(seen.toSorted()).toEqual(wanted.toSorted());
        expect(idsOf(await readUntil(store, 7))).toEqual(seen);
      }),
    );

    it(
      'is not disturbed by rollbacks: readers go on, and the revision is free again',
      onFresh(async ({ url, store }) => {
        const stream = newOrderStream();
        const client = await connectAsAppender(url);
        await beginEarly(client);
        await insertEvent(client, { stream });
        const other = await appended(store);
        await client.query('rollback');
        const { events } = await appended(store, { stream });
        expect(idsOf(await readUntil(store, 2))).toEqual(idsOf([...other.events, ...events]));
      }),
    );

    it(
      'does not wait for long transactions of others: projectors and analysts hold no reader back',
      onFresh(async ({ url, store }) => {
        const analyst = await connectTo(url);
        await beginEarly(analyst);
        await analyst.query('create temporary table notes as select 1 as note');
        const { events } = await appended(store, { events: eventsOf(3) });
        expect(await readUntil(store, 3)).toEqual(events);
        await analyst.query('rollback');
      }),
    );
  });

  describe('a Postgres store', () => {
    it('is made once where several processes open a new database at the same moment', async () => {
      const database = await freshDatabase();
      const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgresEventStore(database.url)));
      const epochs = new Set(stores.map(({ epoch }) => epoch));
      expect(epochs.size).toBe(1);
      await Promise.all(stores.map((store) => appended(store)));
      expect(await readUntil(stores[0] as EventStore, 4)).toHaveLength(4);
      await Promise.all(stores.map((store) => store.close()));
      await database.drop();
    });

    it('keeps its epoch, its events and its hashes when it is opened again', async () => {
      const database = await freshDatabase();
      const before = await openPostgresEventStore(database.url);
      const { events, position } = await appended(before, { events: eventsOf(2) });
      const hash = before.commandHash({ kind: 'PlaceOrder' });
      await before.close();
      const after = await openPostgresEventStore(database.url);
      expect(await readUntil(after, 2)).toEqual(events);
      expect(await after.readLog({ after: position, limit: 1 })).toMatchObject({ events: [], checkpoint: position });
      expect(after.commandHash({ kind: 'PlaceOrder' })).toBe(hash);
      await after.close();
      await database.drop();
    });

    it(
      'goes on at revisions above 2^31',
      onFresh(async ({ url, store }) => {
        const stream = newOrderStream();
        const huge = 2 ** 31 + 5;
        await insertEvent(await connectTo(url), { stream, revision: huge });
        expect(await store.append(exampleAppend({ stream, expected: huge }))).toMatchObject({ revision: huge + 1 });
        expect(await store.append(exampleAppend({ stream, expected: huge }))).toEqual({ outcome: 'stale' });
        const revisions = (await store.readStream({ stream, fromRevision: huge })).map(({ revision }) => revision);
        expect(revisions).toEqual([huge, huge + 1]);
      }),
    );

    it(
      'answers every append once though its connections are killed in the middle, and stores each command once',
      onFresh(async ({ url, store }) => {
        const killer = await connectTo(url);
        const appends = Array.from({ length: 400 }, (_, index) => exampleAppend({ events: eventsOf(1 + (index % 2)) }));
        const answers = appends.map(async (append, index) => {
          await pause(index);
          return store.append(append);
        });
        let killed = 0;
        for (let round = 0; round < 8; round += 1) {
          await pause(40);
          killed += await killAppenders(killer);
        }
        const outcomes = (await Promise.all(answers)).map(({ outcome }) => outcome);
        expect(killed).toBeGreaterThan(0);
        expect(new Set(outcomes)).toEqual(new Set(['appended']));
        const wanted = appends.flatMap(({ events }) => idsOf(events));
        expect(idsOf(await readUntil(store, wanted.length)).toSorted()).toEqual(wanted.toSorted());
      }),
    );

    it(
      'survives the loss of its idle connections, and reconnects with the next call',
      onFresh(async ({ url, store }) => {
        await appended(store);
        const killer = await connectTo(url);
        await killer.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
        );
        await vi.waitFor(() => store.ping(), { timeout: 5_000 });
        await appended(store);
        expect(await readUntil(store, 2)).toHaveLength(2);
      }),
    );

    it(
      'gives up on a blocked append within its deadline, stores nothing of it later, and takes it when it is sent again',
      onFresh(async ({ url, store }) => {
        const append = exampleAppend();
        const blocker = await connectTo(url);
        await blocker.query('begin; lock table order_center.events in exclusive mode');
        const startedAt = performance.now();
        await expect(store.append(append)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
        expect(performance.now() - startedAt).toBeLessThan(12_000);
        await blocker.query('rollback');
        expect(await store.readStream({ stream: append.stream })).toEqual([]);
        expect(await store.append(append)).toMatchObject({ outcome: 'appended', revision: 0 });
      }),
    );

    it('refuses with STORE_UNAVAILABLE to open where no Postgres answers', async () => {
      const nowhere = openPostgresEventStore('postgres://nobody@127.0.0.1:1/nothing');
      await expect(nowhere).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    });

    it('refuses a database that acknowledges commits before they are durable', async () => {
      const database = await freshDatabase();
      const client = await connectTo(database.url);
      await client.query(`alter database ${new URL(database.url).pathname.slice(1)} set synchronous_commit = off`);
      await expect(openPostgresEventStore(database.url)).rejects.toMatchObject({ code: 'UNSAFE_DURABILITY' });
      await client.end();
      await database.drop();
    });
  });
});

async function killAppenders(killer: Awaited<ReturnType<typeof connectTo>>): Promise<number> {
  const { rowCount } = await killer.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name like 'order-center append%'`,
  );
  return rowCount ?? 0;
}
