import type { Config } from '../config/config.ts';
import { claimDataDir } from './data-dir.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { PostgresSettings } from './postmaster.ts';

export type Database = {
  readonly eventStoreUrl: string;
  /** Resolves when the embedded Postgres ended by itself. */
  readonly lost?: Promise<string>;
};

/**
 * Claims the data folder, and starts the embedded Postgres where the event store is that.
 * @throws OperationalFailure DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, POSTGRES_START_FAILED
 */
export async function openDatabase(
  { eventStoreUrl, dataDir }: Pick<Config, 'eventStoreUrl' | 'dataDir'>,
  opening: AsyncDisposableStack,
  { log, settings = {} }: { readonly log: (line: string) => void; readonly settings?: PostgresSettings },
): Promise<Database> {
  if (eventStoreUrl !== 'embedded:') {
    const claim = await claimDataDir(dataDir);
    opening.defer(() => claim.release());
    return { eventStoreUrl };
  }
  // It claims the data folder itself.
  const postgres = await startEmbeddedPostgres({ dataDir, log, settings });
  opening.defer(() => postgres.stop());
  const lost = postgres.exited.then(
    ({ code, signal }) => `the embedded Postgres ended by itself (${signal ?? `code ${code}`})`,
  );
  return { eventStoreUrl: postgres.url, lost };
}
