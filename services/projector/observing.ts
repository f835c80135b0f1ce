import type { Logger } from 'pino';
import type { ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { views } from '../../projections/all.ts';
import { projectorMetrics } from './observe-metrics.ts';
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
  const counts = projectorMetrics(metrics, views);
  const parking = watchParking({ metrics, readStore, log });
  return {
    onBatch: (batch) => {
      counts.onBatch(batch);
      parking.wentOn(batch.view);
    },
    onFailure: (stop) => {
      counts.onRestart(stop);
      if (stop.failure.code === 'PARKING_THRESHOLD') parking.stopped(stop);
      else noted(stop);
    },
    onRefused: counts.onRefused,
    onParked: parking.parked,
  };
}

function ofSnapshots(metrics: Metrics, log: Logger, noted: Observing['noted']): SnapshotWriterObserver {
  let isFailing = false;
  return {
    onBatch: ({ refused }) => {
      isFailing = false;
      metrics.count('stale_writes_refused_total', 'snapshots', refused);
    },
    onBegin: (began) => {
      if (began === 'behind') log.warn('the snapshot cache lost writes: they are made again');
    },
    // It tries again about once a second, for as long as the cache is down: one line tells.
    onFailure: (stop) => {
      if (!isFailing) noted(stop);
      isFailing = true;
    },
  };
}

function noting(log: Logger): Observing['noted'] {
  return ({ consumer, failure, restartInMs }) =>
    log.warn({ consumer, code: failure.code, restartInMs }, 'a consumer starts again from its checkpoint');
}
