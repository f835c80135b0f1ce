import type { Config } from '../../infra/config/config.ts';
import { claimDataDir } from '../../infra/local/data-dir.ts';
import { startEmbeddedPostgres } from '../../infra/local/embedded-postgres.ts';

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
  log: (line: string) => void,
): Promise<Database> {
  if (eventStoreUrl !== 'embedded:') {
    const claim = await claimDataDir(dataDir);
    opening.defer(() => claim.release());
    return { eventStoreUrl };
  }
  // It claims the data folder itself.
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  opening.defer(() => postgres.stop());
  const lost = postgres.exited.then(
    ({ code, signal }) => `the embedded Postgres ended by itself (${signal ?? `code ${code}`})`,
  );
  return { eventStoreUrl: postgres.url, lost };
}
