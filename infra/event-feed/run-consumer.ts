import { performance } from 'node:perf_hooks';

import type { OperationalFailure } from '../failures.ts';
import { keepRunning } from '../keep-running.ts';
import type { EventFeed, FeedBatch, Subscription } from './port.ts';

/** What a metric or a log line needs; no event, so nothing personal. */
export type HandledBatch = {
  readonly consumer: string;
  readonly partition: string;
  readonly events: number;
  /** Whether nothing more was ready when the batch was read. */
  readonly atEnd: boolean;
  readonly tookMs: number;
};

export type ConsumerStop = {
  readonly consumer: string;
  readonly failure: OperationalFailure;
  /** When it starts again from its stored checkpoint. */
  readonly restartInMs: number;
};

export type RunConsumerOptions = {
  readonly onBatch?: (handled: HandledBatch) => void;
  readonly onFailure?: (stop: ConsumerStop) => void;
  /** The wait after the first failure, doubled after each further one in a row. 100 ms if absent. */
  readonly backoffFirstMs?: number;
  /** 10,000 ms if absent. */
  readonly backoffMaxMs?: number;
};

/**
 * Keeps a consumer running until its signal is aborted: after a retryable OperationalFailure, and after
 * CHECKPOINT_MOVED, it starts again from the stored checkpoint, ever more slowly until a batch is handled.
 * Rejects with anything else (FOREIGN_STORE, a bug): no restart would help.
 */
export async function runConsumer(
  feed: EventFeed,
  subscription: Subscription,
  options: RunConsumerOptions = {},
): Promise<void> {
  const { consumer, signal } = subscription;
  const { onFailure, backoffFirstMs = 100, backoffMaxMs = 10_000 } = options;
  await keepRunning(
    (noteProgress) => feed.run({ ...subscription, handle: observing(subscription, options, noteProgress) }),
    {
      signal,
      canRestart,
      backoffFirstMs,
      backoffMaxMs,
      onFailure: (failure, restartInMs) => onFailure?.({ consumer, failure, restartInMs }),
    },
  );
}

function canRestart({ retryable, code }: OperationalFailure): boolean {
  return retryable || code === 'CHECKPOINT_MOVED';
}

function observing(
  { consumer, handle }: Subscription,
  { onBatch }: RunConsumerOptions,
  reset: () => void,
): (batch: FeedBatch) => Promise<void> {
  return async (batch) => {
    const startedAt = performance.now();
    await handle(batch);
    reset();
    const { partition, events, atEnd } = batch;
    onBatch?.({ consumer, partition, events: events.length, atEnd, tookMs: performance.now() - startedAt });
  };
}
