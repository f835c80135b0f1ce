import { performance } from 'node:perf_hooks';

import type { EventStore, LogPage } from '../../event-store/port.ts';
import type { Checkpoint, EventFeed, Subscription } from '../port.ts';
import { openBell, unlessAborted, type Bell } from './bell.ts';
import { sharedTail, type TailReader } from './shared-tail.ts';

export type LogFeedOptions = {
  /** How late an event of another process may be seen after a quiet time. 250 ms if absent. */
  readonly pollMs?: number;
  /** After an append of this process: how soon to ask again while its event waits behind the fence. 5 ms if absent. */
  readonly behindFencePollMs?: number;
  /**
   * The least time between two reads at the log's end, so that a busy log is read in pages and not event by event: each
   * page costs its readers, checkpoints and commits the same however few events it has. 20 ms if absent; what comes
   * after a quiet time is read at once.
   */
  readonly breathMs?: number;
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
  const { pollMs = 250, behindFencePollMs = 5, breathMs = 20 } = options;
  const tail = { read: sharedTail(store), bell: openBell(store), pollMs, behindFencePollMs, breathMs };
  return {
    run: (subscription) => follow(tail, subscription),
  };
}

type Tail = Required<LogFeedOptions> & { readonly read: TailReader; readonly bell: Bell };

async function follow(tail: Tail, subscription: Subscription): Promise<void> {
  const { signal } = subscription;
  const loaded = await unlessAborted(subscription.loadCheckpoint('log'), signal);
  if (loaded === null) return;
  let after = loaded.result;
  const deliver = openDelivery(subscription, after);
  const rest = openRest(tail, signal);
  let ahead: Promise<LogPage> | null = null;
  while (!signal.aborted) {
    const readAt = performance.now();
    const reading: Promise<LogPage> = ahead ?? readPage(tail, subscription, after);
    const read = await unlessAborted(reading, signal);
    if (read === null) return;
    const page = read.result;
    ahead = page.atEnd ? null : readAhead(tail, subscription, page.checkpoint);
    await deliver(page);
    const moved = page.checkpoint !== after;
    after = page.checkpoint;
    if (page.atEnd) await rest({ after, moved, readAt });
  }
}

async function readPage({ read }: Tail, subscription: Subscription, after: Checkpoint | null): Promise<LogPage> {
  const { categories, batchMax, foresee } = subscription;
  const page = await read({ after, categories, limit: batchMax });
  if (page.events.length > 0) foresee?.(page.events);
  return page;
}

/** While one page is handled the next is read, and no further: who catches up keeps both sides busy, bounded by a page. */
function readAhead(tail: Tail, subscription: Subscription, after: Checkpoint | null): Promise<LogPage> {
  const page = readPage(tail, subscription, after);
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

/**
 * Waits at the log's end: a breath while events keep coming; briefly behind the fence; else until the bell rings or the
 * poll is due, which comes ever later in a quiet time, since other processes are not heard.
 */
function openRest(
  { bell, pollMs, behindFencePollMs, breathMs }: Tail,
  signal: AbortSignal,
): (end: EndOfLog) => Promise<void> {
  let quickPolls = 0;
  let idleMs = pollMs;
  return async ({ after, moved, readAt }) => {
    if (moved) {
      quickPolls = 0;
      idleMs = breathMs;
      const leftMs = readAt + breathMs - performance.now();
      if (leftMs > 0) await bell.rest(leftMs, signal);
    } else if (bell.hasRungAfter(after)) {
      quickPolls += 1;
      await bell.rest(quickPolls > quickPollsMax ? pollMs : behindFencePollMs, signal);
    } else {
      idleMs = Math.min(2 * idleMs, pollMs);
      await bell.rest(idleMs, signal, 'orRing');
    }
  };
}
