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
 * A role of one capability that can do just what it must, made on first use. The first open decides for good: where
 * that user could make none, every later process works without, too, so that all agree on who acts.
 * @returns null where there is none: the capability then works as the given user
 */
export async function ensureLoginRole(pool: pg.Pool, request: LoginRoleRequest): Promise<LoginRole | null> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    // Two processes may start at once on a new store: the second waits and finds the role.
    await client.query('select pg_advisory_xact_lock(hashtext($1))', [`order-center/login-role/${request.schema}`]);
    const role = await decidedRole(client, request);
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

type RoleRow = { readonly name: string | null; readonly password: string | null; readonly exists: boolean };

async function decidedRole(client: pg.PoolClient, request: LoginRoleRequest): Promise<LoginRole | null> {
  const { schema } = request;
  const known = await client.query<RoleRow>(
    `select name, password, exists (select from pg_roles where rolname = name) as exists from ${schema}.login_role`,
  );
  const [row] = known.rows;
  if (row?.name != null && row.password !== null) {
    const role = { name: row.name, password: row.password };
    // A restored database brings its rows, not the server's roles.
    if (!row.exists) await makeRole(client, request, role);
    return role;
  }
  if (row !== undefined) return null;
  const may = await client.query<{ may: boolean }>(
    'select rolsuper or rolcreaterole as may from pg_roles where rolname = current_user',
  );
  // Roles belong to the whole server, schemas to one database: the name must be the database's own.
  const role =
    may.rows[0]?.may === true
      ? { name: `${schema}_${randomBytes(4).toString('hex')}`, password: randomBytes(24).toString('hex') }
      : null;
  if (role !== null) await makeRole(client, request, role);
  const { name, password } = role ?? { name: null, password: null };
  await client.query(`insert into ${schema}.login_role (name, password) values ($1, $2)`, [name, password]);
  return role;
}

/** Name and password are our own letters and hex: there is nothing to quote. */
async function makeRole(client: pg.PoolClient, { schema, grants }: LoginRoleRequest, role: LoginRole): Promise<void> {
  await client.query(`create role ${role.name} login password '${role.password}'`);
  // Membership shows the owner the role's transactions in pg_stat_activity, superuser or not.
  await client.query(`grant ${role.name} to current_user`);
  await client.query(`grant usage on schema ${schema} to ${role.name}`);
  for (const grant of grants) await client.query(`grant ${grant} to ${role.name}`);
}

export function urlAs(url: string, role: LoginRole): string {
  const roleUrl = new URL(url);
  roleUrl.username = role.name;
  roleUrl.password = role.password;
  // A connection string's parameters win over its user.
  roleUrl.searchParams.delete('user');
  roleUrl.searchParams.delete('password');
  return roleUrl.href;
}
