import type { Logger } from 'pino';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import { watchBatches, wedgedConsumers } from '../../infra/event-feed/watch-batches.ts';
import { logLeases } from '../../infra/leases/lease-log.ts';
import { runLeased } from '../../infra/leases/run-leased.ts';
import { watchLogLag } from '../../infra/metrics/log-lag.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { snapshotWriter } from '../../infra/order-snapshots/port.ts';
import type { ParkedConsumer } from '../../infra/read-store/parking.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { projections } from '../../projections/all.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { eventMetrics, runEventMetrics } from './event-metrics.ts';
import { parkingRoutes } from './http/parking-routes.ts';
import { observing, type Observing } from './observing.ts';
import { openParkingDesk } from './parking.ts';
import { runProjector } from './projector.ts';
import { runSnapshotWriter } from './snapshot-writer.ts';

export type ProjectorWiring = Pick<Stores, 'store' | 'readStore' | 'snapshots' | 'leases'> & {
  readonly feed: EventFeed;
  /** Who parks beside the projections, and is drained at the same desk. */
  readonly others?: readonly ParkedConsumer[];
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** One thing that follows the log, of which one process at a time does the work. */
type Follower = { readonly lease: string; readonly run: (signal: AbortSignal) => Promise<void> };

/** Everything that follows the log to keep what readers and operators see. */
export function wireProjector(wiring: ProjectorWiring): Part {
  const { store, readStore, snapshots, leases, others = [], metrics } = wiring;
  const feed = watchBatches(wiring.feed);
  watchLogLag({ metrics, store, readStore }, 'projection', [
    ...projections.map(({ view, categories }) => ({ consumer: view.name, categories })),
    { consumer: snapshotWriter, categories: orderSummary.categories },
  ]);
  const followers = followersOf({ ...wiring, feed }, observing(wiring));
  const observe = logLeases(
    wiring,
    followers.map(({ lease }) => lease),
  );
  return {
    routes: [parkingRoutes(openParkingDesk({ store, readStore, snapshots, projections, others }))],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
    ],
    liveness: [{ name: 'projector', wedged: () => wedgedConsumers(feed) }],
    run: async (signal) => {
      await Promise.all(followers.map(({ lease, run }) => runLeased({ leases, name: lease, signal, run, observe })));
    },
  };
}

function followersOf(
  { store, readStore, snapshots, feed, metrics }: ProjectorWiring,
  { ofViews, ofSnapshots, noted }: Observing,
): readonly Follower[] {
  const common = { feed, store, readStore };
  return [
    ...projections.map((projection) => ({
      lease: `projector/${projection.view.name}`,
      run: (signal: AbortSignal) => runProjector({ ...common, projection, observe: ofViews, signal }),
    })),
    {
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
