import type { Config } from '../config/config.ts';
import { refuseForeignCache } from '../epoch/refuse-foreign-cache.ts';
import { refuseForeignStore, type DataDirMemory } from '../epoch/refuse-foreign-store.ts';
import { openEventStore } from '../event-store/open.ts';
import type { EventStore } from '../event-store/port.ts';
import { OperationalFailure } from '../failures.ts';
import { openLeases, type OpenLeasesOptions } from '../leases/open.ts';
import type { Leases } from '../leases/port.ts';
import type { Metrics } from '../metrics/open.ts';
import { watchStore } from '../metrics/store-metrics.ts';
import { openOrderSnapshots } from '../order-snapshots/open.ts';
import type { OrderSnapshots } from '../order-snapshots/port.ts';
import { openPaymentTokens } from '../payment-tokens/open.ts';
import type { PaymentTokens } from '../payment-tokens/port.ts';
import { openReadStore } from '../read-store/open.ts';
import type { ReadStore, View } from '../read-store/port.ts';
import { openSubjectKeys } from '../subject-keys/open.ts';
import type { SubjectKeys } from '../subject-keys/port.ts';

/** Everything that outlives a process, and the cache. */
export type Stores = {
  readonly store: EventStore;
  readonly subjectKeys: SubjectKeys;
  readonly paymentTokens: PaymentTokens;
  readonly readStore: ReadStore;
  readonly snapshots: OrderSnapshots;
  /** Beside the views, whose checkpoints fence what a lease is for. */
  readonly leases: Leases;
};

export type StoreUrls = {
  readonly eventStoreUrl: string;
  readonly readDbUrl: string;
  /** null: snapshots are cached in the process. */
  readonly cacheUrl: string | null;
};

export type StoresSource = {
  readonly urls: StoreUrls;
  /** Prepared in the read store. */
  readonly views: readonly View[];
  readonly metrics: Pick<Metrics, 'watch'>;
  readonly leaseOwner?: OpenLeasesOptions;
  /** The claimed data folder, which remembers the event store; absent for a role that has none. */
  readonly memory?: DataDirMemory;
};

type Openers = {
  /** `opened`: what was opened before. */
  readonly [Name in keyof Stores]: (source: StoresSource, opened: Partial<Stores>) => Promise<Stores[Name]>;
};

const openers: Openers = {
  store: async ({ urls, metrics }) => {
    const store = await openEventStore(urls.eventStoreUrl);
    watchStore(metrics, store);
    return store;
  },
  subjectKeys: ({ urls }) => openSubjectKeys(urls.eventStoreUrl),
  paymentTokens: ({ urls }) => openPaymentTokens(urls.eventStoreUrl),
  readStore: async ({ urls, views, memory = null }, { store }) => {
    const readStore = openReadStore(urls.readDbUrl);
    try {
      // Before anything is changed there.
      if (store !== undefined) await refuseForeignStore({ store, readStore, memory });
      await readStore.prepare(views);
      return readStore;
    } catch (error) {
      await readStore.close();
      throw error;
    }
  },
  snapshots: async ({ urls, metrics }, { store }) => {
    const snapshots = openOrderSnapshots(urls.cacheUrl ?? undefined);
    metrics.watch('queue_depth', () => [{ of: 'snapshot-reads', value: snapshots.status().reading }]);
    metrics.watch('snapshots_up', () => [{ of: snapshots.status().kind, value: snapshots.status().isUp ? 1 : 0 }]);
    try {
      // A store in memory is a new one at each start.
      const isKept = !urls.eventStoreUrl.startsWith('memory:');
      if (store !== undefined && isKept) await refuseForeignCache({ store, snapshots });
      return snapshots;
    } catch (error) {
      await snapshots.close();
      throw error;
    }
  },
  leases: ({ urls, leaseOwner }) => openLeases(urls.readDbUrl, leaseOwner),
};

/**
 * Opens the stores that a role names, one after the other, each closed by `stack` in reverse order. A role names what
 * it uses and no more: it can then start while the others are down. One with event store and views is refused where
 * the two do not belong together: `store` comes first.
 * @throws OperationalFailure STORE_UNAVAILABLE, VIEWS_UNAVAILABLE, UNSAFE_DURABILITY, FOREIGN_STORE
 */
export async function openStores<Name extends keyof Stores>(
  source: StoresSource,
  names: readonly Name[],
  stack: AsyncDisposableStack,
): Promise<Pick<Stores, Name>> {
  const opened: Partial<Stores> = {};
  for (const name of names) {
    const store = await openers[name](source, opened);
    stack.defer(() => store.close());
    Object.assign(opened, { [name]: store });
  }
  // Each name was opened by its own opener just above.
  return opened as Pick<Stores, Name>;
}

type Locations = Pick<Config, 'readDbUrl' | 'cacheUrl'>;

/** The views live in the event store's Postgres unless they are given one of their own. */
export function storeUrls(eventStoreUrl: string, { readDbUrl, cacheUrl }: Locations): StoreUrls {
  return { eventStoreUrl, readDbUrl: readDbUrl ?? eventStoreUrl, cacheUrl };
}

/**
 * The stores of a role that runs alone: it meets the others there, so they must be where others can be.
 * @throws OperationalFailure INVALID_CONFIGURATION for `embedded:` (also where nothing is set) and `memory:`
 */
export function sharedStoreUrls(config: Locations & Pick<Config, 'eventStoreUrl'>): StoreUrls {
  const problems = [
    ...(isOwn(config.eventStoreUrl)
      ? [
          `EVENT_STORE_URL is ${config.eventStoreUrl}, which belongs to one process: a role on its own needs postgres://… (a running npm start keeps its own under DATA_DIR in running.json)`,
        ]
      : []),
    ...(isOwn(config.readDbUrl ?? '')
      ? [`READ_DB_URL is memory:, which no other role can read: use postgres://…`]
      : []),
  ];
  if (problems.length > 0) {
    throw new OperationalFailure('INVALID_CONFIGURATION', problems.join('; '), { retryable: false });
  }
  return storeUrls(config.eventStoreUrl, config);
}

function isOwn(url: string): boolean {
  return url === 'embedded:' || url.startsWith('memory:');
}
