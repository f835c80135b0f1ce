import type { Config } from '../../infra/config/config.ts';
import { claimDataDir, findRunning } from '../../infra/local/data-dir.ts';
import { startEmbeddedPostgres } from '../../infra/local/embedded-postgres.ts';
import { leasesName } from '../../infra/leases/port.ts';
import { connectedProcesses } from '../../infra/postgres/other-processes.ts';
import { CommandFailure } from './failure.ts';

/** Where a verb finds the event store and the views. */
export type Databases = {
  readonly eventStoreUrl: string;
  /** May be `memory:`, where there is nothing to find. */
  readonly readDbUrl: string;
  /** The door of the system that runs on DATA_DIR and on this store; null: none does. */
  readonly httpUrl: string | null;
  /** Whether a process follows the log and may move on: that system, or roles that run apart. */
  readonly isRunning: boolean;
};

/**
 * By their URLs if set, else of the system that runs on DATA_DIR, else an embedded Postgres until `stack` is disposed.
 * @throws CommandFailure for a store in memory; OperationalFailure of the embedded Postgres
 */
export async function findDatabases(config: Config, stack: AsyncDisposableStack): Promise<Databases> {
  const { eventStoreUrl, dataDir } = config;
  refuseMemory(config);
  const running = await findRunning(dataDir);
  const isGiven = eventStoreUrl !== 'embedded:';
  const url = isGiven ? eventStoreUrl : (running?.postgresUrl ?? (await ownPostgres(dataDir, stack)));
  const databases = databasesAt(url, config);
  // The folder may be another system's than the one that the URL names.
  if (running?.postgresUrl === url) return { ...databases, httpUrl: running.urls.http ?? null, isRunning: true };
  return { ...databases, isRunning: await hasFollowers(databases.readDbUrl) };
}

async function hasFollowers(readDbUrl: string): Promise<boolean> {
  return readDbUrl !== 'memory:' && (await connectedProcesses(readDbUrl)).includes(leasesName);
}

/**
 * The same of a system that is stopped, and cannot start on this DATA_DIR until `stack` is disposed: for verbs that
 * change what it stands on.
 * @throws OperationalFailure DATA_DIR_IN_USE; CommandFailure where processes of ours are connected to the databases
 */
export async function claimDatabases(config: Config, stack: AsyncDisposableStack): Promise<Databases> {
  const { eventStoreUrl, dataDir } = config;
  refuseMemory(config);
  if (eventStoreUrl === 'embedded:') {
    const databases = databasesAt(await ownPostgres(dataDir, stack), config);
    await refuseConnected(databases);
    return databases;
  }
  const claim = await claimDataDir(dataDir);
  stack.defer(() => claim.release());
  const databases = databasesAt(eventStoreUrl, config);
  await refuseConnected(databases);
  return databases;
}

function databasesAt(eventStoreUrl: string, config: Config): Databases {
  return { eventStoreUrl, readDbUrl: config.readDbUrl ?? eventStoreUrl, httpUrl: null, isRunning: false };
}

function refuseMemory({ eventStoreUrl }: Config): void {
  if (eventStoreUrl === 'memory:') throw new CommandFailure('EVENT_STORE_URL is memory: no other process can read it');
}

async function ownPostgres(dataDir: string, stack: AsyncDisposableStack): Promise<string> {
  const postgres = await startEmbeddedPostgres({ dataDir });
  stack.defer(() => postgres.stop());
  return postgres.url;
}

async function refuseConnected({ eventStoreUrl, readDbUrl }: Databases): Promise<void> {
  for (const url of new Set([eventStoreUrl, readDbUrl])) {
    if (url === 'memory:') continue;
    const names = await connectedProcesses(url);
    if (names.length === 0) continue;
    const { host, pathname } = new URL(url);
    const detail = `processes of order-center are connected to ${host}${pathname} (${names.join(', ')})`;
    throw new CommandFailure(`${detail}: stop them first`);
  }
}
