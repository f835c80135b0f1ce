import type { EventFeed, FeedBatch } from '../../../infra/event-feed/port.ts';
import { runConsumer } from '../../../infra/event-feed/run-consumer.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';
import { liveEvent } from './frames.ts';
import { openInbox, type Inbox } from './inbox.ts';

/** What a client hears: everything about one order, or about one tenant. */
export type Topic = `order ${string}` | `tenant ${string}`;

export type Interest = { readonly topic: Topic; wants(event: RecordedEvent): boolean };

export type Following = {
  /** Everything after it comes to the inbox; what is not after it is in the store. null: everything comes. */
  readonly from: Position | null;
  readonly inbox: Inbox;
  leave(): void;
};

/**
 * The log's tail, followed once for all clients of a process, and only while there are any. Each event is handed to
 * those who want it, in the log's order, without waiting for anyone.
 */
export type Hub = {
  /** @throws OperationalFailure STORE_UNAVAILABLE where the log's head cannot be read */
  follow(interest: Interest): Promise<Following>;
};

export type HubOptions = {
  readonly store: Pick<EventStore, 'head'>;
  readonly feed: EventFeed;
  readonly queuedMaxBytes: number;
  /** What ended all streams: a bug, or another store. */
  readonly onFailure?: ((failure: unknown) => void) | undefined;
};

const allEvents = { consumer: 'live-updates', categories: ['order', 'stock', 'fulfillment'], batchMax: 500 } as const;

export function openHub(options: HubOptions): Hub {
  let current: Run | null = null;
  return {
    follow: async (interest) => {
      // One that ended meanwhile (its last client left, or the feed failed) takes nobody any more.
      current = current?.isOver() === false ? current : openRun(options);
      return current.follow(interest);
    },
  };
}

type Follower = Interest & { readonly inbox: Inbox };

type Run = { follow(interest: Interest): Promise<Following>; isOver(): boolean };

/** One time from the first client to the last. */
function openRun({ store, feed, queuedMaxBytes, onFailure }: HubOptions): Run {
  const followers = new Map<Topic, Set<Follower>>();
  const stop = new AbortController();
  let position: Position | null = null;
  /** Those who follow, and those who wait for the start. */
  let clients = 0;
  const end = (): void => {
    stop.abort();
    for (const follower of [...followers.values()].flatMap((each) => [...each])) follower.inbox.close();
  };
  const handle = ({ events, checkpoint }: FeedBatch): Promise<void> => {
    for (const event of events) handOut(followers, event);
    position = checkpoint;
    return Promise.resolve();
  };
  const started = store.head().then((head) => {
    position = head;
    const loadCheckpoint = (): Promise<Position | null> => Promise.resolve(position);
    // Outages are waited for; what no restart helps ends the streams, and their clients come back and are told.
    runConsumer(feed, { ...allEvents, loadCheckpoint, handle, signal: stop.signal }).then(end, (failure: unknown) => {
      end();
      onFailure?.(failure);
    });
  });
  started.catch(end);
  const left = (): void => {
    clients -= 1;
    if (clients === 0) end();
  };
  return {
    isOver: () => stop.signal.aborted,
    follow: async (interest) => {
      clients += 1;
      try {
        await started;
      } catch (error) {
        left();
        throw error;
      }
      const inbox = openInbox(queuedMaxBytes);
      if (stop.signal.aborted) inbox.close();
      return join(followers, { ...interest, inbox }, { from: position, left });
    },
  };
}

function join(
  followers: Map<Topic, Set<Follower>>,
  follower: Follower,
  { from, left }: { readonly from: Position | null; readonly left: () => void },
): Following {
  const { topic, inbox } = follower;
  const others = followers.get(topic) ?? new Set();
  followers.set(topic, others.add(follower));
  let isHere = true;
  const leave = (): void => {
    if (!isHere) return;
    isHere = false;
    others.delete(follower);
    if (others.size === 0) followers.delete(topic);
    left();
  };
  return { from, inbox, leave };
}

function handOut(followers: ReadonlyMap<Topic, ReadonlySet<Follower>>, event: RecordedEvent): void {
  const live = liveEvent(event);
  for (const topic of [`order ${event.stream}`, `tenant ${event.tenantId}`] as const) {
    for (const follower of followers.get(topic) ?? []) if (follower.wants(event)) follower.inbox.put(live);
  }
}
