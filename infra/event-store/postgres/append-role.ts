import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { FenceKind } from './fence.ts';
import { ask } from './connection.ts';

/** How appends connect, and what the readers' fence watches. */
export type Appender = { readonly url: string; readonly fence: FenceKind };

/**
 * Appends come from one role that can insert events and nothing more, with a password that only the store's owner can
 * read. Where this server lets us make no role, or hides its activity, appends use the given user and the xmin fence.
 */
export async function prepareAppender(pool: pg.Pool, url: string): Promise<Appender> {
  const role = await roleOf(pool);
  if (role === null) return { url, fence: { kind: 'xmin' } };
  const appendUrl = new URL(url);
  appendUrl.username = role.name;
  appendUrl.password = role.password;
  return { url: appendUrl.href, fence: { kind: 'role', role: role.name } };
}

async function roleOf(pool: pg.Pool): Promise<{ readonly name: string; readonly password: string } | null> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    // Two processes may start at once on a new store: the second waits and finds the role.
    await client.query("select pg_advisory_xact_lock(hashtext('order-center/append-role'))");
    const known = await client.query<{ append_role: string | null; append_password: string | null; epoch: string }>(
      'select append_role, append_password, epoch from order_center.store_meta',
    );
    const [meta] = known.rows;
    if (meta === undefined) throw new Error('the store has no meta row');
    if (meta.append_role !== null && meta.append_password !== null) {
      await client.query('commit');
      return { name: meta.append_role, password: meta.append_password };
    }
    const made = { name: `order_center_append_${meta.epoch.slice(0, 8)}`, password: randomBytes(24).toString('hex') };
    const done = await makeRole(client, made);
    await client.query('commit');
    return done ? made : null;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/** Name and password are our own hex and letters: nothing to quote. */
async function makeRole(
  client: pg.PoolClient,
  role: { readonly name: string; readonly password: string },
): Promise<boolean> {
  const may = await client.query<{ may: boolean }>(
    'select rolsuper or rolcreaterole as may from pg_roles where rolname = current_user',
  );
  if (may.rows[0]?.may !== true) return false;
  await client.query(`create role ${role.name} login password '${role.password}'`);
  // Membership shows the owner the role's transactions in pg_stat_activity, superuser or not.
  await client.query(`grant ${role.name} to current_user`);
  await client.query(`grant usage on schema order_center to ${role.name}`);
  await client.query(`grant select, insert on order_center.events to ${role.name}`);
  await client.query(`grant select on order_center.answers to ${role.name}`);
  await client.query('update order_center.store_meta set append_role = $1, append_password = $2', [
    role.name,
    role.password,
  ]);
  return true;
}

/** @returns what is off; null where an acknowledged append survives a power cut */
export async function unsafeSetting(pool: pg.Pool): Promise<string | null> {
  const rows = await ask<{ name: string; setting: string }>(pool, {
    text: "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') and setting = 'off'",
  });
  return rows[0]?.name ?? null;
}
