import { performance } from 'node:perf_hooks';

import type { EventStore, LogPage } from '../../event-store/port.ts';
import type { Checkpoint, EventFeed, Subscription } from '../port.ts';
import { openBell, unlessAborted, type Bell } from './bell.ts';
import { sharedTail, type TailReader } from './shared-tail.ts';
import type { TailQuery } from './tail-ring.ts';

export type LogFeedOptions = {
  /** How late an event of another process may be seen. 250 ms if absent. */
  readonly pollMs?: number;
  /**
   * After an append of this process: how soon to ask again while its event waits behind the fence, and the least time
   * between two reads at the log's end, so that a busy log is read in pages and not event by event. 5 ms if absent.
   */
  readonly behindFencePollMs?: number;
};

/** A fence that does not move for so many quick polls is held by somebody slow: ask at the slow pace until it moves. */
const quickPollsMax = 100;

/** An idle consumer is told at most so often that its checkpoint moved past events it did not ask for. */
const emptyBatchEveryMs = 1_000;

/**
 * Tails any event store's log, in one partition; consumers of one feed share its reads. An append of this process wakes it at once; polling finds what other
 * processes wrote. One page is read ahead of the one that is handled, never more.
 * `run` throws FOREIGN_STORE where the stored checkpoint is of another epoch or beyond the head.
 */
export function openLogFeed(store: EventStore, options: LogFeedOptions = {}): EventFeed {
  const { pollMs = 250, behindFencePollMs = 5 } = options;
  const tail = { read: sharedTail(store), bell: openBell(store), pollMs, behindFencePollMs };
  return {
    run: (subscription) => follow(tail, subscription),
  };
}

type Tail = Required<LogFeedOptions> & { readonly read: TailReader; readonly bell: Bell };

async function follow(tail: Tail, subscription: Subscription): Promise<void> {
  const { signal, categories, batchMax } = subscription;
  const loaded = await unlessAborted(subscription.loadCheckpoint('log'), signal);
  if (loaded === null) return;
  let after = loaded.result;
  const deliver = openDelivery(subscription, after);
  const rest = openRest(tail, signal);
  let ahead: Promise<LogPage> | null = null;
  while (!signal.aborted) {
    const readAt = performance.now();
    const reading: Promise<LogPage> = ahead ?? tail.read({ after, categories, limit: batchMax });
    const read = await unlessAborted(reading, signal);
    if (read === null) return;
    const page = read.result;
    ahead = page.atEnd ? null : readAhead(tail, { after: page.checkpoint, categories, limit: batchMax });
    await deliver(page);
    const moved = page.checkpoint !== after;
    after = page.checkpoint;
    if (page.atEnd) await rest({ after, moved, readAt });
  }
}

/** While one page is handled the next is read, and no further: who catches up keeps both sides busy, bounded by a page. */
function readAhead(tail: Tail, query: TailQuery): Promise<LogPage> {
  const page = tail.read(query);
  // It fails where it is awaited, if it is.
  page.catch(() => undefined);
  return page;
}

/** Hands on what has events; an empty page only where the consumer's checkpoint fell behind a while ago. */
function openDelivery({ handle }: Subscription, loaded: Checkpoint | null): (page: LogPage) => Promise<void> {
  let handled = loaded;
  let handledAt = performance.now();
  return async ({ events, checkpoint, atEnd }) => {
    if (checkpoint === null || checkpoint === handled) return;
    if (events.length === 0 && performance.now() - handledAt < emptyBatchEveryMs) return;
    await handle({ partition: 'log', events, checkpoint, atEnd });
    handled = checkpoint;
    handledAt = performance.now();
  };
}

type EndOfLog = { readonly after: Checkpoint | null; readonly moved: boolean; readonly readAt: number };

/** Waits at the log's end: briefly behind the fence, else until the bell rings or the poll is due. */
function openRest({ bell, pollMs, behindFencePollMs }: Tail, signal: AbortSignal): (end: EndOfLog) => Promise<void> {
  let quickPolls = 0;
  return async ({ after, moved, readAt }) => {
    if (moved) quickPolls = 0;
    const breathMs = readAt + behindFencePollMs - performance.now();
    if (!bell.hasRungAfter(after)) {
      if (moved && breathMs > 0) await bell.rest(breathMs, signal);
      if (!bell.hasRungAfter(after)) await bell.rest(pollMs, signal, 'orRing');
      return;
    }
    quickPolls += 1;
    if (quickPolls > quickPollsMax) await bell.rest(pollMs, signal);
    else if (breathMs > 0) await bell.rest(breathMs, signal);
  };
}
