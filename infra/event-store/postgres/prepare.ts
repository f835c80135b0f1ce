import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type pg from 'pg';
import { OperationalFailure } from '../../failures.ts';
import { ask } from '../../postgres/connection.ts';
import { ensureLoginRole, urlAs } from '../../postgres/login-role.ts';
import { migrate } from '../../postgres/migrate.ts';
import type { FenceKind } from './fence.ts';

/** What one database's store is: its epoch and secret, how appends connect and what their readers watch. */
export type Prepared = {
  readonly epoch: string;
  readonly formerEpochs: readonly string[];
  readonly hashSecret: KeyObject;
  readonly appendUrl: string;
  /** null: appends act as the given user. */
  readonly role: string | null;
  readonly fence: FenceKind;
};

/** Makes the store's schema and role on first use, and refuses a database that cannot keep the store's promises. */
export async function prepareStore(url: string, pool: pg.Pool): Promise<Prepared> {
  await refuseUnsafe(pool);
  await prepareSchema(url);
  await refuseRestored(pool);
  const { epoch, hashSecret } = await storeMeta(pool);
  const formerEpochs = await readFormerEpochs(pool);
  // Appends come from one role that can insert events and nothing more: the fence watches its transactions alone.
  const grants = ['select, insert on order_center.events', 'select on order_center.answers'];
  const role = await ensureLoginRole(pool, { schema: 'order_center', grants });
  const known = { epoch, formerEpochs, hashSecret };
  if (role === null) return { ...known, appendUrl: url, role: null, fence: { kind: 'xmin' } };
  return { ...known, appendUrl: urlAs(url, role), role: role.name, fence: { kind: 'role', role: role.name } };
}

/** Makes the tables on first use, and brings older ones up to date. */
export function prepareSchema(url: string): Promise<void> {
  return migrate(url, { schema: 'order_center', folder: join(import.meta.dirname, 'migrations') });
}

/** Makes the store's one row of its own, with its epoch and secret, unless it has one. */
export function newMeta(): pg.QueryConfig {
  return {
    text: 'insert into order_center.store_meta (hash_secret) values ($1) on conflict do nothing',
    values: [randomBytes(32)],
  };
}

async function storeMeta(pool: pg.Pool): Promise<Pick<Prepared, 'epoch' | 'hashSecret'>> {
  await ask(pool, newMeta());
  const [row] = await ask<{ epoch: string; hash_secret: Buffer }>(pool, {
    text: 'select epoch, hash_secret from order_center.store_meta',
  });
  if (row === undefined) throw new Error('the store has no meta row');
  // A key object is prepared once; a buffer would be for each command (measured: 38 µs against 5).
  return { epoch: row.epoch, hashSecret: createSecretKey(row.hash_secret) };
}

async function readFormerEpochs(pool: pg.Pool): Promise<readonly string[]> {
  const rows = await ask<{ epoch: string }>(pool, {
    text: 'select epoch from order_center.former_epochs order by ended_at',
  });
  return rows.map(({ epoch }) => epoch);
}

/** An acknowledged append must survive a power cut. */
async function refuseUnsafe(pool: pg.Pool): Promise<void> {
  const names = ['fsync', 'full_page_writes', 'synchronous_commit'];
  const text = "select name from pg_settings where name = any($1) and setting = 'off'";
  const [off] = await ask<{ name: string }>(pool, { text, values: [names] });
  if (off !== undefined) throw new OperationalFailure('UNSAFE_DURABILITY', `${off.name} is off`, { retryable: false });
}

/**
 * Positions are made of this server's transaction ids. Events that were dumped from another one can lie in its future:
 * new appends would come before them, and collide with them.
 */
async function refuseRestored(pool: pg.Pool): Promise<void> {
  const text = `select exists (select from order_center.events where tx >= pg_snapshot_xmax(pg_current_snapshot())) as ahead`;
  const [row] = await ask<{ ahead: boolean }>(pool, { text });
  if (row?.ahead !== true) return;
  const detail = 'the events come from another server, whose transaction ids are ahead of this one';
  throw new OperationalFailure('FOREIGN_STORE', detail, { retryable: false });
}
