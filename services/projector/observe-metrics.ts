import type { ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { ProjectedBatch } from './projector.ts';

/** Counts what projectors commit, and why consumers start again. Lag is not theirs to tell: see infra/metrics/log-lag.ts. */
export type ProjectorMetrics = {
  readonly onBatch: (batch: ProjectedBatch) => void;
  readonly onRestart: (stop: ConsumerStop) => void;
  /** Another owner has moved the checkpoint: the fence has refused the whole batch. */
  readonly onRefused: (view: string) => void;
};

export function projectorMetrics(
  metrics: Pick<Metrics, 'count'>,
  views: readonly { readonly name: string }[],
): ProjectorMetrics {
  for (const { name } of views) {
    for (const result of ['applied', 'duplicate', 'healed'])
      metrics.count('projection_events_total', [name, result], 0);
    metrics.count('stale_writes_refused_total', name, 0);
    metrics.count('consumer_restarts_total', name, 0);
  }
  metrics.count('stale_writes_refused_total', 'snapshots', 0);
  return {
    onBatch: ({ view, applied, duplicates, healed }) => {
      metrics.count('projection_events_total', [view, 'applied'], applied);
      metrics.count('projection_events_total', [view, 'duplicate'], duplicates);
      metrics.count('projection_events_total', [view, 'healed'], healed);
    },
    onRestart: ({ consumer }) => metrics.count('consumer_restarts_total', consumer),
    onRefused: (view) => metrics.count('stale_writes_refused_total', view),
  };
}
