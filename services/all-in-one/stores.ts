import type { Config } from '../../infra/config/config.ts';
import { openEventStore } from '../../infra/event-store/open.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { claimDataDir } from '../../infra/local/data-dir.ts';
import { startEmbeddedPostgres } from '../../infra/local/embedded-postgres.ts';
import { openOrderSnapshots } from '../../infra/order-snapshots/open.ts';
import type { OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import { openPaymentTokens } from '../../infra/payment-tokens/open.ts';
import type { PaymentTokens } from '../../infra/payment-tokens/port.ts';
import { openReadStore } from '../../infra/read-store/open.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { openSubjectKeys } from '../../infra/subject-keys/open.ts';
import type { SubjectKeys } from '../../infra/subject-keys/port.ts';
import { projections } from '../../projections/all.ts';

/** Everything that outlives the process, and the cache. */
export type Stores = {
  readonly store: EventStore;
  readonly subjectKeys: SubjectKeys;
  readonly paymentTokens: PaymentTokens;
  readonly readStore: ReadStore;
  readonly snapshots: OrderSnapshots;
  /** Of the event store; '' where it is in memory. */
  readonly postgresUrl: string;
  /** Resolves when the embedded Postgres ended by itself; never where there is none. */
  readonly lost: Promise<string>;
};

/**
 * Opens the stores that the configuration names, each closed by `stack` in reverse order.
 * @throws OperationalFailure DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, POSTGRES_START_FAILED, STORE_UNAVAILABLE, UNSAFE_DURABILITY
 */
export async function openStores(
  config: Config,
  stack: AsyncDisposableStack,
  log: (line: string) => void,
): Promise<Stores> {
  const { url, lost } = await databaseOf(config, stack, log);
  const closed = <T extends { close(): Promise<void> }>(opened: T): T => {
    stack.defer(() => opened.close());
    return opened;
  };
  const store = closed(await openEventStore(url));
  const subjectKeys = closed(await openSubjectKeys(url));
  const paymentTokens = closed(await openPaymentTokens(url));
  const readStore = closed(openReadStore(config.readDbUrl ?? url));
  await readStore.prepare(projections.map(({ view }) => view));
  const snapshots = closed(openOrderSnapshots(config.cacheUrl ?? undefined));
  const postgresUrl = url.startsWith('memory:') ? '' : url;
  return { store, subjectKeys, paymentTokens, readStore, snapshots, postgresUrl, lost };
}

type Database = { readonly url: string; readonly lost: Promise<string> };

/** The embedded Postgres claims the data folder itself; the simulators' ledgers need the claim in any case. */
async function databaseOf(config: Config, stack: AsyncDisposableStack, log: (line: string) => void): Promise<Database> {
  const { eventStoreUrl, dataDir } = config;
  if (eventStoreUrl !== 'embedded:') {
    const claim = await claimDataDir(dataDir);
    stack.defer(() => claim.release());
    return { url: eventStoreUrl, lost: new Promise(() => undefined) };
  }
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  stack.defer(() => postgres.stop());
  const lost = postgres.exited.then(
    ({ code, signal }) => `the embedded Postgres ended by itself (${signal ?? `code ${code}`})`,
  );
  return { url: postgres.url, lost };
}
