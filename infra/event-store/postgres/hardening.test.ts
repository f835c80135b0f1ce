import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { Position } from '../../../schemas/envelope.ts';
import { describeWithPostgres, freshDatabase } from '../../../test/postgres.ts';
import { openPool } from '../../postgres/connection.ts';
import { appended, eventsOf, exampleAppend, idsOf, readUntil } from '../contract/examples.ts';
import { openOnPostgres } from '../contract/on-postgres.ts';
import { beginEarly, connectAsAppender, connectTo, insertEvent } from '../contract/postgres-database.ts';
import { answerMaxMs, flyBatch, type Waiting } from './batch-flight.ts';
import { forgetSome } from './old-answers.ts';
import { openPostgresEventStore } from './open.ts';
import { walkMax } from './page-query.ts';
import { toRow } from './to-row.ts';

describeWithPostgres('who appends on Postgres', () => {
  it('is the role that readers watch, also where the URL names its user by parameters', async () => {
    const database = await freshDatabase();
    const url = new URL(database.url);
    const { username, password } = url;
    url.searchParams.set('user', username);
    url.searchParams.set('password', decodeURIComponent(password));
    url.username = '';
    url.password = '';
    const store = await openPostgresEventStore(url.href);
    await appended(store);
    const owner = await connectTo(database.url);
    const { rows } = await owner.query(
      `select distinct usename = (select name from order_center.login_role) as watched from pg_stat_activity
       where datname = current_database() and application_name like 'order-center append%'`,
    );
    expect(rows).toEqual([{ watched: true }]);
    await store.close();
    await database.drop();
  });

  it('stays who it was at the first open, whatever the user may do later', async () => {
    const database = await freshDatabase();
    const owner = await connectTo(database.url);
    const name = `plain_${Date.now()}_${process.pid}`;
    await owner.query(`create role ${name} login password 'plain'`);
    await owner.query(`grant create on database "${new URL(database.url).pathname.slice(1)}" to ${name}`);
    const url = new URL(database.url);
    url.username = name;
    url.password = 'plain';
    const first = await openPostgresEventStore(url.href);
    await owner.query(`alter role ${name} createrole`);
    const later = await openPostgresEventStore(url.href);
    await appended(later);
    const { rows } = await owner.query('select name from order_center.login_role');
    expect(rows).toEqual([{ name: null }]);
    // The xmin fence waits for every transaction of the server, also those of the tests beside this one.
    expect(await readUntil(first, 1)).toHaveLength(1);
    await Promise.all([first.close(), later.close()]);
    await owner.query(`drop owned by ${name} cascade`);
    await owner.query(`drop role ${name}`);
    await database.drop();
  });

  it('is made again where a restored database brought its rows without the role', async () => {
    const database = await freshDatabase();
    await (await openPostgresEventStore(database.url)).close();
    const owner = await connectTo(database.url);
    const { rows } = await owner.query<{ name: string }>('select name from order_center.login_role');
    await owner.query(`drop owned by ${rows[0]?.name ?? ''}`);
    await owner.query(`drop role ${rows[0]?.name ?? ''}`);
    const store = await openPostgresEventStore(database.url);
    await appended(store);
    await store.close();
    await database.drop();
  });
});

describeWithPostgres('what the Postgres store refuses', () => {
  it('is a database whose events come from a server with later transaction ids', async () => {
    const database = await freshDatabase();
    const store = await openPostgresEventStore(database.url);
    await appended(store);
    await store.close();
    const owner = await connectTo(database.url);
    await owner.query("update order_center.events set tx = '9000000000'");
    await expect(openPostgresEventStore(database.url)).rejects.toMatchObject({ code: 'FOREIGN_STORE' });
    await database.drop();
  });

  it('is a time that no row can hold, without harm to its neighbors', async () => {
    const { store, close } = await openOnPostgres();
    const [bad, year10000] = ['2026-13-01T00:00:00Z', '9999-12-31T23:59:59-12:00'].map((occurredAt) =>
      exampleAppend({ events: eventsOf(1).map((event) => ({ ...event, occurredAt })) }),
    );
    const results = await Promise.allSettled(
      [bad, exampleAppend(), year10000].map((each) => store.append(each ?? exampleAppend())),
    );
    expect(results).toMatchObject([
      { reason: { code: 'POISON_VALUE' } },
      { value: { outcome: 'appended' } },
      { reason: { code: 'POISON_VALUE' } },
    ]);
    await close();
  });
});

describeWithPostgres('reading the log on Postgres', () => {
  it('goes on past a time that no door lets in and a row holds all the same', async () => {
    const { url, store, close } = await openOnPostgres();
    await appended(store);
    const owner = await connectTo(url);
    await owner.query("update order_center.events set occurred_at = '0001-12-31 10:00:00+00 BC'");
    await appended(store);
    expect((await store.readLog({ after: null, limit: 10 })).events).toHaveLength(2);
    await close();
  });

  it('begins below the fence for a position that lies above it', async () => {
    const { url, store, close } = await openOnPostgres();
    const first = await appended(store);
    const slow = await connectAsAppender(url);
    await beginEarly(slow);
    const above = await appended(store);
    const page = await store.readLog({ after: above.position, limit: 10 });
    expect(page).toEqual({ events: [], checkpoint: first.position, atEnd: true });
    const late = await insertEvent(slow);
    await slow.query('commit');
    const next = await store.readLog({ after: page.checkpoint, limit: 10 });
    expect(idsOf(next.events)).toEqual([late, ...idsOf(above.events)]);
    await close();
  });

  it('names the session that holds its fence, and not one that only writes something else', async () => {
    const { url, store, close } = await openOnPostgres();
    await beginEarly(await connectTo(url));
    expect(await store.fenceHold()).toBeNull();
    const slow = await connectAsAppender(url);
    await slow.query("set application_name = 'a forgotten psql'");
    await beginEarly(slow);
    const { rows } = await slow.query<{ pid: number; user: string }>('select pg_backend_pid() as pid, user');
    const hold = await store.fenceHold();
    expect(hold).toMatchObject({ ...rows[0], application: 'a forgotten psql' });
    expect(hold?.heldMs).toBeGreaterThan(0);
    await slow.query('commit');
    expect(await store.fenceHold()).toBeNull();
    await close();
  });

  it('walks a bounded stretch for a sparse filter, and ends at the log’s end', async () => {
    const { url, store, close } = await openOnPostgres();
    await appended(store);
    const owner = await connectTo(url);
    await owner.query(
      `insert into order_center.events (ord, stream, revision, event_id, type, schema_version, category, tenant, command_id, n,
         command_hash, origin, correlation_id, data)
       select n, 'order-' || n, 0, gen_random_uuid(), 'OrderCancelled', 1, 'order', 'shop', 'many-' || n, 0, '', 'live', 'c', '{}'
       from generate_series(1, $1::int) n`,
      [walkMax + 10],
    );
    await owner.query('analyze order_center.events');
    const pages: number[] = [];
    let after: Position | null = null;
    for (let atEnd = false; !atEnd && pages.length < 10;) {
      const page = await store.readLog({ after, types: ['RefundFailed'], limit: 5 });
      pages.push(page.events.length);
      ({ atEnd } = page);
      after = page.checkpoint;
    }
    expect(pages).toEqual([0, 0]);
    expect(after).toBe(await store.head());
    await close();
  });
});

describeWithPostgres('old answers on Postgres', () => {
  it('are forgotten after 30 days where they touched no stream, and kept with their stream', async () => {
    const { url, store, close } = await openOnPostgres();
    const { events } = await appended(store);
    const stream = events[0]?.stream ?? exampleAppend().stream;
    const { tenantId, commandHash } = exampleAppend();
    const rejection = { code: 'ORDER_NOT_PAID', detail: 'x' } as const;
    const answer = { tenantId, commandHash, rejection };
    await store.recordAnswer({ ...answer, commandId: exampleAppend().commandId, stream, version: 1 }, 0);
    await store.recordAnswer({ ...answer, ...exampleAppend(), version: 0 }, 'none');
    const owner = await connectTo(url);
    await owner.query("update order_center.answers set answered_at = now() - interval '31 days'");
    const pool = openPool(url, { applicationName: 'test', connectionsMax: 1 });
    expect(await forgetSome(pool)).toBe(1);
    expect(await forgetSome(pool)).toBe(0);
    await pool.end();
    await close();
  });
});

describe('a batch that the store does not answer', () => {
  it('tells each caller when its own time is over, and that nothing was sent', async () => {
    const dead = new pg.Pool({ host: '127.0.0.1', port: 1, connectionTimeoutMillis: 50 });
    const connection = {
      send: () => Promise.reject(new Error('connect ECONNREFUSED')),
      connected: () => false,
      leave: () => Promise.resolve(),
    };
    const startedAt = performance.now();
    const told: Promise<{ readonly code: unknown; readonly ms: number }>[] = [];
    const batch = [100, 400].map((ms): Waiting => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      told.push(
        promise.then(
          () => ({ code: 'resolved', ms: 0 }),
          (error: unknown) => ({
            code: (error as { readonly code?: unknown }).code,
            ms: performance.now() - startedAt,
          }),
        ),
      );
      return { row: toRow(exampleAppend()), until: startedAt + ms, resolve, reject };
    });
    await flyBatch(batch, { connection, epoch: 'e', pool: dead });
    const [early, late] = await Promise.all(told);
    expect([early?.code, late?.code]).toEqual(['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE']);
    expect(early?.ms).toBeLessThan(late?.ms ?? 0);
    expect(late?.ms).toBeLessThan(answerMaxMs);
    await dead.end();
  });
});
