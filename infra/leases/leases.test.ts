import pg from 'pg';
import { expect, it } from 'vitest';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { leasesContract } from './contract.ts';
import { openMemoryLeaseTable } from './memory/memory-lease-table.ts';
import { openLeases } from './open.ts';
import { openPostgresLeaseTable } from './postgres/postgres-lease-table.ts';

leasesContract('memory', () => {
  const table = openMemoryLeaseTable();
  return Promise.resolve({ table, other: table, close: () => table.close() });
});

leasesContract('postgres', async () => {
  const database = await freshDatabase();
  const [table, other] = await Promise.all([
    openPostgresLeaseTable(database.url),
    openPostgresLeaseTable(database.url),
  ]);
  return {
    table,
    other,
    close: async () => {
      await Promise.all([table.close(), other.close()]);
      await database.drop();
    },
  };
});

describeWithPostgres('leases in Postgres', () => {
  it('are those of a former life until the process that comes back ends them', async () => {
    const database = await freshDatabase();
    const before = await openLeases(database.url, { owner: 'first life' });
    const lease = await before.tryAcquire('work');
    const stranger = await openLeases(database.url);
    expect(await stranger.tryAcquire('work')).toBeNull();
    const after = await openLeases(database.url, { former: 'first life' });
    expect(await after.tryAcquire('work')).toMatchObject({ token: (lease?.token ?? NaN) + 1 });
    await Promise.all([before, stranger, after].map((leases) => leases.close()));
    await database.drop();
  });

  it('do not bind for as long as the clock of the server was wrong', async () => {
    const database = await freshDatabase();
    const table = await openPostgresLeaseTable(database.url);
    await table.acquire({ name: 'work', owner: 'a', ttlMs: 1_000 });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query("update leases.leases set ends_at = ends_at + interval '1 hour'");
    expect(await table.acquire({ name: 'work', owner: 'b', ttlMs: 1_000 })).toBe(2);
    await client.end();
    await table.close();
    await database.drop();
  });

  it('answer VIEWS_UNAVAILABLE where somebody emptied the database', async () => {
    const database = await freshDatabase();
    const table = await openPostgresLeaseTable(database.url);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('drop schema leases cascade');
    const acquiring = table.acquire({ name: 'work', owner: 'a', ttlMs: 1_000 });
    await expect(acquiring).rejects.toMatchObject({ code: 'VIEWS_UNAVAILABLE', retryable: true });
    await client.end();
    await table.close();
    await database.drop();
  });
});
