import pg from 'pg';

import { OperationalFailure } from '../failures.ts';
import { within } from '../within.ts';
import { messageOf } from './connection.ts';

const endMaxMs = 1_000;

/**
 * Which connections of order-center processes a database has, by their names, as `order-center append 0`: whoever
 * changes what they stand on asks first.
 * @throws OperationalFailure STORE_UNAVAILABLE
 */
export async function connectedProcesses(url: string): Promise<readonly string[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'order-center asks who is here',
    connectionTimeoutMillis: 5_000,
    statement_timeout: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      `select distinct application_name as name from pg_stat_activity
       where datname = current_database() and application_name like 'order-center %' and pid <> pg_backend_pid()
       order by 1`,
    );
    return rows.map(({ name }) => name);
  } catch (error) {
    throw new OperationalFailure('STORE_UNAVAILABLE', messageOf(error), { retryable: true, cause: error });
  } finally {
    // One that never connected never ends.
    await within(endMaxMs, client.end());
  }
}
