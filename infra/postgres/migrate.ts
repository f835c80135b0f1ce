import { runner } from 'node-pg-migrate';
import pg from 'pg';

/**
 * Brings one capability's schema up to date: plain SQL files in `folder`, each once, one process at a time (a second
 * one that starts on the same new database waits).
 */
export async function migrate(
  url: string,
  target: { readonly schema: string; readonly folder: string },
): Promise<void> {
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
      dir: target.folder,
      direction: 'up',
      schema: target.schema,
      createSchema: true,
      migrationsSchema: target.schema,
      createMigrationsSchema: true,
      migrationsTable: 'migrations',
      advisoryLockMode: 'wait',
      log: () => undefined,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}
