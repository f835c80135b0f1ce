import type { EventFeed, Subscription } from './port.ts';

export type WatchedFeed = EventFeed & {
  /** Consumers that hold one batch, or load their checkpoint, for longer than `stuckAfterSeconds`. */
  stuck(): readonly { readonly consumer: string; readonly seconds: number }[];
  /** A sign of life of a consumer that may rightly hold a batch for long, since it waits for room. */
  noteProgress(consumer: string): void;
};

export type WatchOptions = {
  /**
   * 60 if absent. A batch ends far below it also where the database hangs, since the first query that is not answered
   * in 16 s fails it: what takes longer waits for something that nobody will ever answer.
   */
  readonly stuckAfterSeconds?: number;
  /** Of the clock; 1,000 if absent. */
  readonly tickMs?: number;
};

type Held = { readonly consumer: string; seconds: number };

/**
 * Watches what the consumers of a feed have in hand, for the liveness probe. A consumer that fails starts again by
 * itself, and one that was stopped on purpose has nothing in hand: neither is cured by a restart, so neither counts.
 * Seconds are counted by this process's own turns: one that was stopped for a while does not wake up guilty.
 */
export function watchBatches(feed: EventFeed, options: WatchOptions = {}): WatchedFeed {
  const { stuckAfterSeconds = 60, tickMs = 1_000 } = options;
  const inHand = new Set<Held>();
  let ticking: NodeJS.Timeout | null = null;
  const tick = (): void => {
    for (const held of inHand) held.seconds += 1;
    // Only while something is in hand: a closed feed leaves no timer behind.
    if (inHand.size === 0 && ticking !== null) {
      clearInterval(ticking);
      ticking = null;
    }
  };
  const watched = async <Result>(consumer: string, work: () => Promise<Result>): Promise<Result> => {
    const held = { consumer, seconds: 0 };
    inHand.add(held);
    ticking ??= setInterval(tick, tickMs).unref();
    try {
      return await work();
    } finally {
      inHand.delete(held);
    }
  };
  return {
    run: (subscription: Subscription) => {
      const { consumer } = subscription;
      return feed.run({
        ...subscription,
        loadCheckpoint: (partition) => watched(consumer, () => subscription.loadCheckpoint(partition)),
        handle: (batch) => watched(consumer, () => subscription.handle(batch)),
      });
    },
    stuck: () => [...inHand].filter(({ seconds }) => seconds > stuckAfterSeconds).map((held) => ({ ...held })),
    noteProgress: (consumer) => {
      for (const held of inHand) if (held.consumer === consumer) held.seconds = 0;
    },
  };
}

/** For the liveness probe: null while all is well. */
export function wedgedConsumers(feed: Pick<WatchedFeed, 'stuck'>): string | null {
  const stuck = feed.stuck();
  return stuck.length === 0 ? null : stuck.map(({ consumer, seconds }) => `${consumer}: ${seconds} s`).join(', ');
}
