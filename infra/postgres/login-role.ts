import { randomBytes } from 'node:crypto';
import type pg from 'pg';

export type LoginRole = { readonly name: string; readonly password: string };

export type LoginRoleRequest = {
  /** Our own word, never input: the schema whose table `login_role` keeps the role, readable by its owner alone. */
  readonly schema: string;
  /** SQL after `grant`, before `to <role>`. */
  readonly grants: readonly string[];
};

/**
 * A role of one capability that can do just what it must, made on first use.
 * @returns null where this server lets us make none: the capability then works as the given user
 */
export async function ensureLoginRole(pool: pg.Pool, request: LoginRoleRequest): Promise<LoginRole | null> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    // Two processes may start at once on a new store: the second waits and finds the role.
    await client.query('select pg_advisory_xact_lock(hashtext($1))', [`order-center/login-role/${request.schema}`]);
    const known = await client.query<LoginRole>(`select name, password from ${request.schema}.login_role`);
    const role = known.rows[0] ?? (await makeRole(client, request));
    await client.query('commit');
    return role;
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    // A connection that failed inside a transaction is not given to the next caller.
    client.release(broken);
  }
}

/** Name and password are our own letters and hex: there is nothing to quote. */
async function makeRole(client: pg.PoolClient, { schema, grants }: LoginRoleRequest): Promise<LoginRole | null> {
  const may = await client.query<{ may: boolean }>(
    'select rolsuper or rolcreaterole as may from pg_roles where rolname = current_user',
  );
  if (may.rows[0]?.may !== true) return null;
  // Roles belong to the whole server, schemas to one database: the name must be the database's own.
  const role = { name: `${schema}_${randomBytes(4).toString('hex')}`, password: randomBytes(24).toString('hex') };
  await client.query(`create role ${role.name} login password '${role.password}'`);
  // Membership shows the owner the role's transactions in pg_stat_activity, superuser or not.
  await client.query(`grant ${role.name} to current_user`);
  await client.query(`grant usage on schema ${schema} to ${role.name}`);
  for (const grant of grants) await client.query(`grant ${grant} to ${role.name}`);
  await client.query(`insert into ${schema}.login_role (name, password) values ($1, $2)`, [role.name, role.password]);
  return role;
}

export function urlAs(url: string, role: LoginRole): string {
  const roleUrl = new URL(url);
  roleUrl.username = role.name;
  roleUrl.password = role.password;
  return roleUrl.href;
}
