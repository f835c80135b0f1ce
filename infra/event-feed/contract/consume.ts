import { randomUUID } from 'node:crypto';

import type { Category } from '../../../schemas/ids.ts';
import { appended, eventsOf } from '../../event-store/contract/examples.ts';
import type { EventStore } from '../../event-store/port.ts';
import type { Checkpoint, EventFeed, FeedBatch, Partition, Subscription } from '../port.ts';

/** A feed over a store of its own for one test; it polls every 250 ms. */
export type FeedUnderTest = {
  readonly feed: EventFeed;
  /** Where this process appends. */
  readonly store: EventStore;
  /** The same store as another process sees it. */
  readonly second: () => Promise<EventStore>;
  readonly close: () => Promise<void>;
};

/** For what comes over a network, through a relay. */
export const soon = { timeout: 10_000, interval: 5 };

/** Gives a test a feed of its own. */
export function onFresh(
  open: () => Promise<FeedUnderTest>,
): (body: (fresh: FeedUnderTest) => Promise<void>) => () => Promise<void> {
  return (body) => async () => {
    const fresh = await open();
    try {
      await body(fresh);
    } finally {
      await fresh.close();
    }
  };
}

export type ConsumeOptions = {
  readonly from?: Checkpoint | null;
  /** Whose checkpoint it is; of all where absent. */
  readonly partition?: Partition;
  readonly batchMax?: number;
  readonly categories?: readonly Category[];
  readonly handled?: (batch: FeedBatch) => Promise<void>;
};

export type Consumer = {
  readonly batches: readonly FeedBatch[];
  /** Those whose events it was not told of before. */
  readonly unforeseen: readonly FeedBatch[];
  readonly events: () => FeedBatch['events'];
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
};

export function consume(feed: EventFeed, options: ConsumeOptions = {}): Consumer {
  const { from = null, partition, batchMax = 100, categories, handled } = options;
  const batches: FeedBatch[] = [];
  const foreseen = new Set<FeedBatch['events']>();
  const unforeseen: FeedBatch[] = [];
  const control = new AbortController();
  const ended = feed.run({
    ...subscriptionOf(control.signal),
    ...(categories === undefined ? {} : { categories }),
    batchMax,
    foresee: (events) => void foreseen.add(events),
    loadCheckpoint: (asked) => Promise.resolve(partition === undefined || partition === asked ? from : null),
    handle: async (batch) => {
      batches.push(batch);
      if (batch.events.length > 0 && !foreseen.has(batch.events)) unforeseen.push(batch);
      await handled?.(batch);
    },
  });
  // Whoever waits for the end sees the error; this only keeps it from being called unhandled until then.
  ended.catch(() => undefined);
  const stop = async (): Promise<void> => {
    control.abort();
    await ended;
  };
  return { batches, unforeseen, events: () => batches.flatMap(({ events }) => events), ended, stop };
}

/** Each under a name of its own: consumers of one name share the work. */
export function subscriptionOf(signal: AbortSignal): Subscription {
  return {
    consumer: `test-${randomUUID()}`,
    categories: ['order', 'stock'],
    batchMax: 100,
    loadCheckpoint: () => Promise.resolve(null),
    handle: () => Promise.resolve(),
    signal,
  };
}

/** Handlers wait here until they are let through. */
export function openGate(): {
  readonly passed: () => Promise<void>;
  readonly letOnePass: () => void;
  readonly open: () => void;
} {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  return {
    passed: () => (isOpen ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    letOnePass: () => waiting.shift()?.(),
    open: () => {
      isOpen = true;
      for (const pass of waiting.splice(0)) pass();
    },
  };
}

export async function manyEvents(store: EventStore, count: number): Promise<FeedBatch['events']> {
  return (await appended(store, { events: eventsOf(count) })).events;
}
