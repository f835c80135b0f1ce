import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { isOperationalFailure, type OperationalFailure } from '../failures.ts';
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
  const backoff = openBackoff(options);
  const observed = { ...subscription, handle: observing(subscription, options, backoff.reset) };
  for (;;) {
    try {
      await feed.run(observed);
      return;
    } catch (error) {
      if (!canRestart(error)) throw error;
      if (signal.aborted) return;
      const restartInMs = backoff.nextMs();
      options.onFailure?.({ consumer, failure: error, restartInMs });
      if (!(await slept(restartInMs, signal))) return;
    }
  }
}

function canRestart(error: unknown): error is OperationalFailure {
  return isOperationalFailure(error) && (error.retryable || error.code === 'CHECKPOINT_MOVED');
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

/** Doubles up to the maximum; half of each wait is random, so that consumers that failed together come back apart. */
function openBackoff({ backoffFirstMs = 100, backoffMaxMs = 10_000 }: RunConsumerOptions): {
  readonly nextMs: () => number;
  readonly reset: () => void;
} {
  let waitMs = backoffFirstMs;
  return {
    nextMs: () => {
      const current = waitMs;
      waitMs = Math.min(waitMs * 2, backoffMaxMs);
      return Math.round(current * (0.5 + Math.random() / 2));
    },
    reset: () => {
      waitMs = backoffFirstMs;
    },
  };
}

/** False: aborted before the time was over. */
async function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    return await sleep(ms, true, { signal });
  } catch {
    return false;
  }
}
