import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { onTestFinished } from 'vitest';

import type { StreamName } from '../../../schemas/ids.ts';
import { hashOf, newCommandId, newOrderStream } from './examples.ts';

/** A connection beside the store's own, closed after the test. */
export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // The database may be dropped under a connection that a test left in a transaction.
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

/** As the role that the store appends with: its transactions are the ones that readers wait for. */
export async function connectAsAppender(url: string): Promise<pg.Client> {
  const owner = await connectTo(url);
  const { rows } = await owner.query<{ name: string; password: string }>(
    'select name, password from order_center.login_role',
  );
  const [role] = rows;
  if (role === undefined) throw new Error('the store has no append role here');
  const roleUrl = new URL(url);
  roleUrl.username = role.name;
  roleUrl.password = role.password;
  return connectTo(roleUrl.href);
}

export type RawEvent = { readonly stream?: StreamName; readonly revision?: number };

/** Inserts one event as an append does, but inside whatever transaction the client is in. */
export async function insertEvent(
  client: pg.Client,
  { stream = newOrderStream(), revision = 0 }: RawEvent = {},
): Promise<string> {
  const eventId = randomUUID();
  await client.query(
    `insert into order_center.events (ord, stream, revision, event_id, type, schema_version, category, tenant, command_id, n,
       command_hash, origin, correlation_id, data)
     values (0, $1, $2, $3, 'OrderCancelled', 1, 'order', 'shop', $4, 0, decode($5, 'hex'), 'live', 'trace-1', '{}')`,
    [stream, revision, eventId, newCommandId(), hashOf('a')],
  );
  return eventId;
}

/** Opens a transaction that takes its transaction id now. */
export async function beginEarly(client: pg.Client): Promise<void> {
  await client.query('begin');
  await client.query('select pg_current_xact_id()');
}
