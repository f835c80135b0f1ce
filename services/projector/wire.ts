import type { Logger } from 'pino';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import type { ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { snapshotWriter } from '../../infra/order-snapshots/port.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { projections } from '../../projections/all.ts';
import { runEventMetrics } from './event-metrics.ts';
import { parkingRoutes } from './http/parking-routes.ts';
import { openParkingDesk } from './parking.ts';
import { watchParking } from './parking-metrics.ts';
import { runProjector, type ProjectedBatch, type ProjectorObserver } from './projector.ts';
import { runSnapshotWriter, type SnapshotWriterObserver } from './snapshot-writer.ts';

export type ProjectorWiring = Pick<Stores, 'store' | 'readStore' | 'snapshots'> & {
  readonly feed: EventFeed;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** Everything that follows the log to keep what readers and operators see. */
export function wireProjector(wiring: ProjectorWiring): Part {
  const { store, readStore, snapshots, feed, metrics, log } = wiring;
  const observe = observing(wiring);
  return {
    routes: [parkingRoutes(openParkingDesk({ store, readStore, snapshots, projections }))],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
    ],
    run: async (signal) => {
      const common = { feed, store, readStore, signal };
      await Promise.all([
        ...projections.map((projection) => runProjector({ ...common, projection, observe })),
        runSnapshotWriter({ ...common, snapshots, observe: observingSnapshots(metrics, log) }),
        runEventMetrics({ feed, store, metrics, onFailure: noted(log) }, signal),
      ]);
    },
  };
}

function observing({ metrics, readStore, log }: ProjectorWiring): ProjectorObserver {
  const lags = new Map<string, number>();
  metrics.watch('projection_lag_seconds', () => [...lags].map(([of, lagMs]) => ({ of, value: lagMs / 1_000 })));
  const parking = watchParking({ metrics, readStore, log });
  const note = noted(log);
  return {
    onBatch: ({ view, lagMs }: ProjectedBatch) => {
      lags.set(view, lagMs);
      parking.wentOn(view);
    },
    onFailure: (stop) => {
      if (stop.failure.code === 'PARKING_THRESHOLD') parking.stopped(stop);
      else note(stop);
    },
    onParked: parking.parked,
  };
}

function observingSnapshots(metrics: Metrics, log: Logger): SnapshotWriterObserver {
  let lastLagMs = 0;
  metrics.watch('projection_lag_seconds', () => [{ of: snapshotWriter, value: lastLagMs / 1_000 }]);
  return {
    onBatch: ({ refused, lagMs }) => {
      lastLagMs = lagMs;
      for (let count = 0; count < refused; count += 1) metrics.count('stale_writes_refused_total', 'snapshots');
    },
    onBegin: (began) => {
      if (began === 'behind') log.warn('the snapshot cache lost writes: they are made again');
    },
    onFailure: noted(log),
  };
}

function noted(log: Logger): (stop: ConsumerStop) => void {
  return ({ consumer, failure, restartInMs }) =>
    log.warn({ consumer, code: failure.code, restartInMs }, 'a consumer starts again from its checkpoint');
}
