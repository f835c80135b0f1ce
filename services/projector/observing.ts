import type { Logger } from 'pino';
import type { ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { snapshotWriter } from '../../infra/order-snapshots/port.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { watchParking } from './parking-metrics.ts';
import type { ProjectorObserver } from './projector.ts';
import type { SnapshotWriterObserver } from './snapshot-writer.ts';

export type Observing = {
  readonly ofViews: ProjectorObserver;
  readonly ofSnapshots: SnapshotWriterObserver;
  readonly noted: (stop: ConsumerStop) => void;
};

/** What metrics and the log hear of everything that the projector runs. */
export function observing(watched: {
  readonly metrics: Metrics;
  readonly readStore: ReadStore;
  readonly log: Logger;
}): Observing {
  const { metrics, log } = watched;
  const noted = noting(log);
  return { ofViews: ofViews(watched, noted), ofSnapshots: ofSnapshots(metrics, log, noted), noted };
}

type Watched = Parameters<typeof observing>[0];

function ofViews({ metrics, readStore, log }: Watched, noted: Observing['noted']): ProjectorObserver {
  const lags = new Map<string, number>();
  metrics.watch('projection_lag_seconds', () => [...lags].map(([of, lagMs]) => ({ of, value: lagMs / 1_000 })));
  const parking = watchParking({ metrics, readStore, log });
  return {
    onBatch: ({ view, lagMs }) => {
      lags.set(view, lagMs);
      parking.wentOn(view);
    },
    onFailure: (stop) => {
      if (stop.failure.code === 'PARKING_THRESHOLD') parking.stopped(stop);
      else noted(stop);
    },
    onRefused: (view) => metrics.count('stale_writes_refused_total', view),
    onParked: parking.parked,
  };
}

function ofSnapshots(metrics: Metrics, log: Logger, noted: Observing['noted']): SnapshotWriterObserver {
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
    onFailure: noted,
  };
}

function noting(log: Logger): Observing['noted'] {
  return ({ consumer, failure, restartInMs }) =>
    log.warn({ consumer, code: failure.code, restartInMs }, 'a consumer starts again from its checkpoint');
}
