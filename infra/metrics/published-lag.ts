import type { PublishedFeed } from '../event-feed/port.ts';
import type { ReadStore } from '../read-store/port.ts';
import type { LaggingConsumer } from './log-lag.ts';
import type { OperationsMetrics } from './operations-metrics.ts';
import { openSampler, type SamplerOptions } from './sample.ts';

export type PublishedLagOptions = SamplerOptions & {
  readonly metrics: Pick<OperationsMetrics, 'watch'>;
  readonly feed: Pick<PublishedFeed, 'behind'>;
  readonly readStore: Pick<ReadStore, 'checkpoints'>;
};

/**
 * Shows how far views are behind their topics, over all partitions and whichever processes have them: by the stored
 * checkpoints and the broker's offsets, so that nobody has to be alive but the two. In seconds: how long ago this process
 * last saw the view with nothing left to read, since a broker tells no age of what was not read.
 */
export function watchPublishedLag(options: PublishedLagOptions, consumers: readonly LaggingConsumer[]): void {
  const { metrics, now = () => performance.now() } = options;
  const samplers = consumers.map((each) => ({
    of: each.consumer,
    sample: openSampler(takeLag(options, each), options),
  }));
  metrics.watch('projection_lag_events', async () => {
    const samples = await Promise.all(samplers.map(async ({ of, sample }) => ({ of, sample: await sample() })));
    return samples.flatMap(({ of, sample }) => (sample?.isFresh === true ? [{ of, value: sample.value.events }] : []));
  });
  metrics.watch('projection_lag_seconds', async () => {
    const samples = await Promise.all(samplers.map(async ({ of, sample }) => ({ of, sample: await sample() })));
    return samples.flatMap(({ of, sample }) => {
      if (sample === null) return [];
      const isThere = sample.isFresh && sample.value.events === 0;
      return [{ of, value: isThere ? 0 : (now() - sample.value.thereAtMs) / 1_000 }];
    });
  });
}

type Lag = { readonly events: number; readonly thereAtMs: number };

function takeLag(
  { feed, readStore, now = () => performance.now() }: PublishedLagOptions,
  { consumer, categories }: LaggingConsumer,
): () => Promise<Lag> {
  let thereAtMs = now();
  return async () => {
    const checkpoints = await readStore.checkpoints();
    const events = await feed.behind(
      categories,
      checkpoints.filter((each) => each.consumer === consumer),
    );
    if (events === 0) thereAtMs = now();
    return { events, thereAtMs };
  };
}
