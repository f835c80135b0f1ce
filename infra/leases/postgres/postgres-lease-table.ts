import { join } from 'node:path';
import type pg from 'pg';
import { OperationalFailure } from '../../failures.ts';
import { messageOf, openPool, troubleOf } from '../../postgres/connection.ts';
import { migrate } from '../../postgres/migrate.ts';
import { leasesName, type LeaseTable } from '../port.ts';

/** A renewal that hangs must fail while there is time for another within the lease. */
const statementTimeoutMs = 1_000;

/**
 * $3 is the time to live. An end far beyond it was set before the server's clock was put back: its holder would be
 * waited for as long as the clock was wrong.
 */
const isHeld = (row: string): string =>
  `${row}.ends_at > clock_timestamp() and ${row}.ends_at < clock_timestamp() + 10 * $3 * interval '1 millisecond'`;

/** Asks before it writes, so that waiting for a lease costs the server a look at its index. */
const acquireText = `
  insert into leases.leases as held (name, token, owner, ends_at)
  select $1, 1, $2, clock_timestamp() + $3 * interval '1 millisecond'
  where not exists (select from leases.leases known where known.name = $1 and ${isHeld('known')})
  on conflict (name) do update set
    token = held.token + 1, owner = excluded.owner, acquired_at = clock_timestamp(),
    ends_at = clock_timestamp() + $3 * interval '1 millisecond'
  where not (${isHeld('held')})
  returning token`;

const renewText = `
  update leases.leases held set ends_at = clock_timestamp() + $3 * interval '1 millisecond'
  from unnest($1::text[], $2::bigint[]) as mine (name, token)
  where held.name = mine.name and held.token = mine.token returning held.name`;

const releaseText = `
  update leases.leases held set ends_at = clock_timestamp()
  from unnest($1::text[], $2::bigint[]) as mine (name, token)
  where held.name = mine.name and held.token = mine.token`;

/** Leases in a schema of their own, which any number of processes may make at once. */
export async function openPostgresLeaseTable(url: string): Promise<LeaseTable> {
  await migrate(url, { schema: 'leases', folder: join(import.meta.dirname, 'migrations') });
  // One to renew, one to wait: a wait that hangs keeps no lease from being renewed.
  const pool = openPool(url, { applicationName: leasesName, connectionsMax: 2, statementTimeoutMs });
  return {
    acquire: async ({ name, owner, ttlMs }) => {
      const values = [name, owner, ttlMs];
      const rows = await ask<{ token: number }>(pool, { name: 'acquire-lease', text: acquireText, values });
      return rows[0]?.token ?? null;
    },
    renew: async (holdings, ttlMs) => {
      const values = [holdings.map(({ name }) => name), holdings.map(({ token }) => token), ttlMs];
      const rows = await ask<{ name: string }>(pool, { name: 'renew-leases', text: renewText, values });
      return new Set(rows.map(({ name }) => name));
    },
    release: async (holdings) => {
      const values = [holdings.map(({ name }) => name), holdings.map(({ token }) => token)];
      await ask(pool, { name: 'release-leases', text: releaseText, values });
    },
    releaseOwner: async (owner) => {
      const text =
        'update leases.leases set ends_at = clock_timestamp() where owner = $1 and ends_at > clock_timestamp()';
      await ask(pool, { text, values: [owner] });
    },
    close: () => pool.end(),
  };
}

/** No such table, schema or database: somebody emptied it; the next start makes them again. */
const gone: ReadonlySet<unknown> = new Set(['42P01', '3F000', '3D000']);

async function ask<Row extends pg.QueryResultRow>(pool: pg.Pool, query: pg.QueryConfig): Promise<Row[]> {
  try {
    return (await pool.query<Row>(query)).rows;
  } catch (error) {
    const isWorldly = troubleOf(error) !== 'other' || gone.has((error as { readonly code?: unknown }).code);
    if (!isWorldly) throw error;
    throw new OperationalFailure('VIEWS_UNAVAILABLE', messageOf(error), { retryable: true, cause: error });
  }
}
