import type { Logger } from 'pino';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import type { ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { dailySales } from '../../projections/daily-sales/projection.ts';
import { openSagas } from '../../projections/open-sagas/projection.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { orderTimeline } from '../../projections/order-timeline/projection.ts';
import { sagaTimers } from '../../projections/saga-timers/projection.ts';
import { runEventMetrics } from './event-metrics.ts';
import { runProjector, type ProjectedBatch, type ProjectorObserver } from './projector.ts';
import { openSnapshotWriter } from './snapshot-writer.ts';

export type ProjectorWiring = Pick<Stores, 'store' | 'readStore' | 'snapshots'> & {
  readonly feed: EventFeed;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** Everything that follows the log to keep what readers and operators see. */
export function wireProjector(wiring: ProjectorWiring): Part {
  const { store, readStore, snapshots, feed, metrics, log } = wiring;
  const observe = observing(metrics, log);
  const onRefused = (count: number): void => {
    for (let refused = 0; refused < count; refused += 1) metrics.count('stale_writes_refused_total', 'snapshots');
  };
  return {
    routes: [],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
    ],
    run: async (signal) => {
      const common = { feed, store, readStore, signal, observe };
      await Promise.all([
        runProjector({
          ...common,
          projection: orderSummary,
          afterCommit: openSnapshotWriter(snapshots, { onRefused }),
        }),
        runProjector({ ...common, projection: orderTimeline }),
        // Shared by many orders: of the store's log, also where others follow Kafka (docs/decisions/0011).
        runProjector({ ...common, projection: dailySales }),
        runProjector({ ...common, projection: openSagas }),
        runProjector({ ...common, projection: sagaTimers }),
        runEventMetrics({ feed, store, metrics, onFailure: noted(log) }, signal),
      ]);
    },
  };
}

function observing(metrics: Metrics, log: Logger): ProjectorObserver {
  const lags = new Map<string, number>();
  metrics.watch('projection_lag_seconds', () => [...lags].map(([of, lagMs]) => ({ of, value: lagMs / 1_000 })));
  return {
    onBatch: ({ view, lagMs }: ProjectedBatch) => lags.set(view, lagMs),
    onFailure: noted(log),
    onFork: ({ view, stream, revision }) => log.error({ view, stream, revision }, 'one revision has two ids'),
  };
}

function noted(log: Logger): (stop: ConsumerStop) => void {
  return ({ consumer, failure, restartInMs }) =>
    log.warn({ consumer, code: failure.code, restartInMs }, 'a consumer starts again from its checkpoint');
}
