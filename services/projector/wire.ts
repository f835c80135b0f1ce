import type { Logger } from 'pino';
import type { EventFeed, PublishedFeed } from '../../infra/event-feed/port.ts';
import { watchBatches, wedgedConsumers } from '../../infra/event-feed/watch-batches.ts';
import { logLeases } from '../../infra/leases/lease-log.ts';
import { runLeased } from '../../infra/leases/run-leased.ts';
import { watchLogLag } from '../../infra/metrics/log-lag.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { watchPublishedLag } from '../../infra/metrics/published-lag.ts';
import { snapshotWriter } from '../../infra/order-snapshots/port.ts';
import type { ParkedConsumer } from '../../infra/read-store/parking.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { projections } from '../../projections/all.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { Projection } from '../../projections/projection.ts';
import { eventMetrics, runEventMetrics } from './event-metrics.ts';
import { parkingRoutes } from './http/parking-routes.ts';
import { observing, type Observing } from './observing.ts';
import { openParkingDesk } from './parking.ts';
import { runProjector } from './projector.ts';
import { runSnapshotWriter } from './snapshot-writer.ts';

export type ProjectorWiring = Pick<Stores, 'store' | 'readStore' | 'snapshots' | 'leases'> & {
  /** The store's log. */
  readonly feed: EventFeed;
  /** Where views of single orders read instead; absent: the log. */
  readonly published?: PublishedFeed | null;
  /** Who parks beside the projections, and is drained at the same desk. */
  readonly others?: readonly ParkedConsumer[];
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** One thing that follows the log, of which one process at a time does the work. */
type Follower = { readonly lease: string; readonly run: (signal: AbortSignal) => Promise<void> };

/** Everything that follows events to keep what readers and operators see. */
export function wireProjector(wiring: ProjectorWiring): Part {
  const { store, readStore, snapshots, leases, others = [], log } = wiring;
  const feed = watchBatches(wiring.feed);
  const published = wiring.published ? watchBatches(wiring.published) : null;
  const shared = projections.filter((projection) => isShared(projection, wiring.published));
  const observed = observing(wiring);
  watchLag(wiring, shared);
  const followers = followersOf({ ...wiring, feed }, { observed, shared });
  const observe = logLeases(
    wiring,
    followers.map(({ lease }) => lease),
  );
  const runShared = (signal: AbortSignal): Promise<void>[] =>
    published === null
      ? []
      : shared.map((projection) =>
          runProjector({ feed: published, store, readStore, projection, observe: observed.ofViews, signal }),
        );
  if (published !== null) log.info({ count: shared.length }, 'views of single orders follow the published events');
  return {
    routes: [parkingRoutes(openParkingDesk({ store, readStore, snapshots, projections, others }))],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
    ],
    liveness: [
      { name: 'projector', wedged: () => wedgedConsumers(feed) },
      ...(published === null ? [] : [{ name: 'projector-published', wedged: () => wedgedConsumers(published) }]),
    ],
    run: async (signal) => {
      const leased = followers.map(({ lease, run }) => runLeased({ leases, name: lease, signal, run, observe }));
      await Promise.all([...leased, ...runShared(signal)]);
    },
  };
}

/**
 * Whether several processes share the work on a view by the partitions of published events. Documents that many orders
 * change need one order of all events (docs/decisions/0011); sagas are not published.
 */
function isShared({ categories, sharedDocuments }: Projection, published: ProjectorWiring['published']): boolean {
  return published?.has(categories) === true && sharedDocuments !== true;
}

function watchLag({ metrics, store, readStore, published }: ProjectorWiring, shared: readonly Projection[]): void {
  const consumerOf = ({ view, categories }: Projection) => ({ consumer: view.name, categories });
  watchLogLag({ metrics, store, readStore }, 'projection', [
    ...projections.filter((projection) => !shared.includes(projection)).map(consumerOf),
    { consumer: snapshotWriter, categories: orderSummary.categories },
  ]);
  if (published) watchPublishedLag({ metrics, feed: published, readStore }, shared.map(consumerOf));
}

type Following = { readonly observed: Observing; readonly shared: readonly Projection[] };

function followersOf(
  { store, readStore, snapshots, feed, metrics }: ProjectorWiring,
  { observed: { ofViews, ofSnapshots, noted }, shared }: Following,
): readonly Follower[] {
  const common = { feed, store, readStore };
  const alone = projections.filter((projection) => !shared.includes(projection));
  return [
    ...alone.map((projection) => ({
      lease: `projector/${projection.view.name}`,
      run: (signal: AbortSignal) => runProjector({ ...common, projection, observe: ofViews, signal }),
    })),
    {
      // One mark in the cache says how far it was written, so one process writes it, in the log's one order.
      lease: snapshotWriter,
      run: (signal) => runSnapshotWriter({ ...common, snapshots, observe: ofSnapshots, signal }),
    },
    {
      // Under a lease, so that what all processes counted adds up.
      lease: eventMetrics,
      run: (signal) => runEventMetrics({ ...common, metrics, onFailure: noted }, signal),
    },
  ];
}
