import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import pg from 'pg';

/** Brings the schema up to date: plain SQL files in ./migrations, each once, one process at a time. */
export async function migrateEventStore(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    application_name: 'order-center migrate',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await runner({
      dbClient: client,
      dir: join(import.meta.dirname, 'migrations'),
      direction: 'up',
      schema: 'order_center',
      createSchema: true,
      migrationsSchema: 'order_center',
      createMigrationsSchema: true,
      migrationsTable: 'migrations',
      advisoryLockMode: 'wait',
      log: () => undefined,
    });
    await client.query('insert into order_center.store_meta (hash_secret) values ($1) on conflict do nothing', [
      randomBytes(32),
    ]);
  } finally {
    await client.end().catch(() => undefined);
  }
}
