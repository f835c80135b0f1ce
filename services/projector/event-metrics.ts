import type { EventFeed } from '../../infra/event-feed/port.ts';
import { runConsumer, type RunConsumerOptions } from '../../infra/event-feed/run-consumer.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { isPoison } from '../../infra/poison.ts';

export type EventMetrics = {
  readonly feed: EventFeed;
  readonly store: Pick<EventStore, 'head'>;
  readonly metrics: Pick<Metrics, 'observeEvent'>;
  readonly onFailure: NonNullable<RunConsumerOptions['onFailure']>;
};

/**
 * Business metrics count what happens while this process runs: they begin at the log's head, and their checkpoint is in
 * memory like what they counted, so that after an outage no event counts again.
 */
export async function runEventMetrics(
  { store, feed, metrics, onFailure }: EventMetrics,
  signal: AbortSignal,
): Promise<void> {
  let from = await store.head();
  await runConsumer(
    feed,
    {
      consumer: 'metrics',
      categories: ['order', 'stock'],
      batchMax: 500,
      loadCheckpoint: () => Promise.resolve(from),
      handle: ({ events, checkpoint }) => {
        for (const event of events) observed(metrics, event);
        from = checkpoint;
        return Promise.resolve();
      },
      signal,
    },
    { onFailure },
  );
}

/** An event that cannot be counted is left out: the projector of its order meets it too, and tells. */
function observed({ observeEvent }: EventMetrics['metrics'], event: RecordedEvent): void {
  try {
    observeEvent(event);
  } catch (error) {
    if (!isPoison(error)) throw error;
  }
}
