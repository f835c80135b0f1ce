import type { Category } from '../../schemas/ids.ts';
import type { Backlog, EventStore } from '../event-store/port.ts';
import type { ReadStore } from '../read-store/port.ts';
import type { OperationsGauge, OperationsMetrics } from './operations-metrics.ts';
import { openSampler, type Sample, type SamplerOptions } from './sample.ts';

/** A follower of the log that keeps its checkpoint in the read store under its name. */
export type LaggingConsumer = { readonly consumer: string; readonly categories: readonly Category[] };

export type LogLagOptions = SamplerOptions & {
  readonly metrics: Pick<OperationsMetrics, 'watch'>;
  readonly store: Pick<EventStore, 'backlog'>;
  readonly readStore: Pick<ReadStore, 'loadCheckpoint'>;
};

/**
 * Shows how far consumers are behind the log, by their stored checkpoints: true whichever process runs them, and also
 * when they hang, stopped or were never started, for nobody is asked who would have to be alive to answer.
 */
export function watchLogLag(
  options: LogLagOptions,
  kind: 'projection' | 'consumer' | 'relay',
  consumers: readonly LaggingConsumer[],
): void {
  const { metrics, store, readStore } = options;
  const samplers = consumers.map(({ consumer, categories }) => {
    const take = async (): Promise<Backlog> =>
      store.backlog({ after: await readStore.loadCheckpoint(consumer, 'log'), categories });
    return { consumer, sample: openSampler(take, options) };
  });
  const show = (name: OperationsGauge, valueOf: (sample: Sample<Backlog>) => number | null): void =>
    metrics.watch(name, async () => {
      const samples = await Promise.all(samplers.map(async (each) => ({ ...each, sample: await each.sample() })));
      return samples.flatMap(({ consumer, sample }) => {
        const value = sample === null ? null : valueOf(sample);
        return value === null ? [] : [{ of: consumer, value }];
      });
    });
  show(`${kind}_lag_seconds`, lagSeconds);
  show(`${kind}_lag_events`, ({ value, isFresh }) => (isFresh ? value.events : null));
}

/** While it cannot be measured the lag grows by the sample's age: nothing newer is known to have been handled. */
function lagSeconds({ value, ageMs, isFresh }: Sample<Backlog>): number {
  return (isFresh ? value.oldestAgeMs : value.oldestAgeMs + ageMs) / 1_000;
}
