import type { Logger } from 'pino';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import { runConsumer, type ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { snapshotWriter } from '../../infra/order-snapshots/port.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { openSagas } from '../../projections/open-sagas/projection.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { sagaTimers } from '../../projections/saga-timers/projection.ts';
import type { Fulfillment } from '../fulfillment/open.ts';
import { runProjector, type ProjectedBatch, type ProjectorObserver } from '../projector/projector.ts';
import { runSnapshotWriter, type SnapshotWriterObserver } from '../projector/snapshot-writer.ts';
import type { Stores } from './stores.ts';

export type Consumers = {
  readonly stores: Stores;
  readonly feed: EventFeed;
  readonly fulfillment: Fulfillment;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** Everything that follows the log, until the signal is aborted. Rejects with what no restart of one consumer would help. */
export async function runConsumers(consumers: Consumers, signal: AbortSignal): Promise<void> {
  const { stores, feed, fulfillment, metrics, log } = consumers;
  const { store, readStore, snapshots } = stores;
  const observe = observing(metrics, log);
  const common = { feed, store, readStore, signal, observe };
  await Promise.all([
    runProjector({ ...common, projection: orderSummary }),
    runSnapshotWriter({ feed, store, readStore, snapshots, signal, observe: observingSnapshots(metrics, log) }),
    runProjector({ ...common, projection: openSagas }),
    runProjector({ ...common, projection: sagaTimers }),
    runMetrics({ feed, store, metrics, log }, signal),
    fulfillment.run(signal),
  ]);
}

type EventMetrics = Pick<Consumers, 'feed' | 'log'> & {
  readonly store: Pick<EventStore, 'head'>;
  readonly metrics: Pick<Metrics, 'observeEvent'>;
};

/**
 * Business metrics count what happens while this process runs: they begin at the log's head, and their checkpoint is in
 * memory like what they counted, so that after an outage no event counts again.
 */
export async function runMetrics({ store, feed, metrics, log }: EventMetrics, signal: AbortSignal): Promise<void> {
  let from = await store.head();
  await runConsumer(
    feed,
    {
      consumer: 'metrics',
      categories: ['order', 'stock'],
      batchMax: 500,
      loadCheckpoint: () => Promise.resolve(from),
      handle: ({ events, checkpoint }) => {
        for (const event of events) metrics.observeEvent(event);
        from = checkpoint;
        return Promise.resolve();
      },
      signal,
    },
    { onFailure: noted(log) },
  );
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

function observingSnapshots(metrics: Metrics, log: Logger): SnapshotWriterObserver {
  let lastLagMs = 0;
  let isFailing = false;
  metrics.watch('projection_lag_seconds', () => [{ of: snapshotWriter, value: lastLagMs / 1_000 }]);
  return {
    onBatch: ({ refused, lagMs }) => {
      lastLagMs = lagMs;
      isFailing = false;
      for (let count = 0; count < refused; count += 1) metrics.count('stale_writes_refused_total', 'snapshots');
    },
    onBegin: (began) => {
      if (began === 'behind') log.warn('the snapshot cache lost writes: they are made again');
    },
    // It tries again about once a second, for as long as the cache is down: one line tells.
    onFailure: (stop) => {
      if (!isFailing) noted(log)(stop);
      isFailing = true;
    },
  };
}

function noted(log: Logger): (stop: ConsumerStop) => void {
  return ({ consumer, failure, restartInMs }) =>
    log.warn({ consumer, code: failure.code, restartInMs }, 'a consumer starts again from its checkpoint');
}
