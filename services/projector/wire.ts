import type { Logger } from 'pino';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import type { ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import { watchBatches, wedgedConsumers } from '../../infra/event-feed/watch-batches.ts';
import { watchLogLag } from '../../infra/metrics/log-lag.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { projections, views } from '../../projections/all.ts';
import { openSagas } from '../../projections/open-sagas/projection.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { sagaTimers } from '../../projections/saga-timers/projection.ts';
import { runEventMetrics } from './event-metrics.ts';
import { projectorMetrics } from './observe-metrics.ts';
import { runProjector, type ProjectorObserver } from './projector.ts';
import { openSnapshotWriter } from './snapshot-writer.ts';

export type ProjectorWiring = Pick<Stores, 'store' | 'readStore' | 'snapshots'> & {
  readonly feed: EventFeed;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** Everything that follows the log to keep what readers and operators see. */
export function wireProjector(wiring: ProjectorWiring): Part {
  const { store, readStore, snapshots, metrics, log } = wiring;
  const feed = watchBatches(wiring.feed);
  const observe = observing(metrics, log);
  watchLogLag(
    { metrics, store, readStore },
    'projection',
    projections.map(({ view, categories }) => ({ consumer: view.name, categories })),
  );
  const onRefused = (count: number): void => metrics.count('stale_writes_refused_total', 'snapshots', count);
  return {
    routes: [],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
    ],
    liveness: [{ name: 'projector', wedged: () => wedgedConsumers(feed) }],
    run: async (signal) => {
      const common = { feed, store, readStore, signal, observe };
      await Promise.all([
        runProjector({
          ...common,
          projection: orderSummary,
          afterCommit: openSnapshotWriter(snapshots, { onRefused }),
        }),
        runProjector({ ...common, projection: openSagas }),
        runProjector({ ...common, projection: sagaTimers }),
        runEventMetrics({ feed, store, metrics, onFailure: noted(log) }, signal),
      ]);
    },
  };
}

function observing(metrics: Metrics, log: Logger): ProjectorObserver {
  const { onBatch, onRestart } = projectorMetrics(metrics, views);
  const note = noted(log);
  return {
    onBatch,
    onFailure: (stop) => {
      onRestart(stop);
      note(stop);
    },
    onFork: ({ view, stream, revision }) => log.error({ view, stream, revision }, 'one revision has two ids'),
  };
}

function noted(log: Logger): (stop: ConsumerStop) => void {
  return ({ consumer, failure, restartInMs }) =>
    log.warn({ consumer, code: failure.code, restartInMs }, 'a consumer starts again from its checkpoint');
}
