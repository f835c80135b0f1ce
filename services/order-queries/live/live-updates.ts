import { Readable } from 'node:stream';
import type { EventFeed } from '../../../infra/event-feed/port.ts';
import { isPosition } from '../../../infra/event-store/position.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { isOperationalFailure } from '../../../infra/failures.ts';
import { reject, type Rejection } from '../../../schemas/decision.ts';
import type { Position } from '../../../schemas/envelope.ts';
import { orderStream } from '../../../schemas/ids.ts';
import { chunkBytes } from './frames.ts';
import { openHub, type Following, type Hub } from './hub.ts';
import { liveLimits, type LiveLimits } from './limits.ts';
import { liveStream } from './live-stream.ts';
import { openSource, type Subject } from './source.ts';

export type LiveRequest = {
  readonly subject: Subject;
  /** The last event's id that the client has, as it was given: exclusive. Absent: an order from its placement, a tenant from now on. */
  readonly after?: string | undefined;
  /** Aborted when the client went away. */
  readonly gone: AbortSignal;
  /** Drops the connection: called for a client that takes nothing, or not even the end. */
  readonly cut: () => void;
};

export type LiveAnswer =
  | { readonly outcome: 'open'; readonly stream: Readable }
  /** ORDER_NOT_FOUND, INVALID_CURSOR, OVERLOADED, SHUTTING_DOWN. */
  | { readonly outcome: 'rejected'; readonly rejection: Rejection };

/** Event streams to clients, bounded in number, memory and patience; a client that was cut goes on by its last id. */
export type LiveUpdates = {
  /** @throws OperationalFailure STORE_UNAVAILABLE before the stream begins; later outages end it */
  open(request: LiveRequest): Promise<LiveAnswer>;
  /** Clients now: for metrics. */
  clients(): number;
  /** Ends all streams and refuses new ones. Who does not take the end is cut off soon after. */
  close(): void;
};

export type OpenLiveUpdatesOptions = {
  readonly store: EventStore;
  /** Of the store's log, where every event is and in one order. */
  readonly feed: EventFeed;
  readonly limits?: Partial<LiveLimits> | undefined;
  readonly onFailure?: ((failure: unknown) => void) | undefined;
};

type Client = { readonly ending: AbortController; readonly cut: () => void };

export function openLiveUpdates({ store, feed, onFailure, ...options }: OpenLiveUpdatesOptions): LiveUpdates {
  const limits = { ...liveLimits, ...options.limits };
  const hub = openHub({ store, feed, queuedMaxBytes: limits.queuedMaxBytes, onFailure });
  const clients = new Set<Client>();
  let isClosed = false;
  return {
    open: async (request) => {
      if (isClosed) return refuse('SHUTTING_DOWN', 'This process is draining; another one goes on by Last-Event-ID.');
      if (clients.size >= limits.clientsMax) return refuse('OVERLOADED', 'Too many event streams are open here.');
      const client = { ending: new AbortController(), cut: request.cut };
      clients.add(client);
      return begin({ store, hub, limits }, request, { ending: client.ending, left: () => clients.delete(client) });
    },
    clients: () => clients.size,
    close: () => {
      isClosed = true;
      for (const { ending } of clients) ending.abort();
      setTimeout(() => {
        for (const { cut } of clients) cut();
      }, limits.endGraceMs).unref();
    },
  };
}

type World = { readonly store: EventStore; readonly hub: Hub; readonly limits: LiveLimits };
type Place = { readonly ending: AbortController; readonly left: () => void };

/** Joins the hub and reads the first page, so that what is refused is refused by a status. */
async function begin(
  { store, hub, limits }: World,
  { subject, after, gone, cut }: LiveRequest,
  { ending, left }: Place,
): Promise<LiveAnswer> {
  let following: Following | null = null;
  const leave = (): void => {
    left();
    ending.abort();
    following?.leave();
  };
  gone.addEventListener('abort', leave, { once: true });
  try {
    const from = await startOf(store, subject, after);
    if (typeof from === 'object' && from !== null) {
      leave();
      return from;
    }
    const source = openSource(store, subject, from);
    following = await hub.follow(source);
    const first = await source.read();
    // Whoever left meanwhile was not yet known to the hub.
    if (gone.aborted) leave();
    const text = liveStream({ hub, source, following, first, limits, ending: ending.signal });
    const stream = Readable.from(cutting(text, { stalledMaxMs: limits.stalledMaxMs, cut }), {
      objectMode: false,
      highWaterMark: chunkBytes,
    });
    return { outcome: 'open', stream };
  } catch (error) {
    leave();
    if (isOperationalFailure(error, 'FOREIGN_STORE')) return notOurs();
    throw error;
  }
}

/** Where the stream begins, or why it does not. */
async function startOf(
  store: EventStore,
  subject: Subject,
  after: string | undefined,
): Promise<Position | null | Extract<LiveAnswer, { readonly outcome: 'rejected' }>> {
  if (after !== undefined && !isPosition(after)) return notOurs();
  if (subject.kind === 'order') {
    const [placed] = await store.readStream({ stream: orderStream(subject.orderId), limit: 1 });
    if (placed?.tenantId !== subject.tenantId) return refuse('ORDER_NOT_FOUND', 'There is no such order.');
  }
  if (after === undefined) return subject.kind === 'order' ? null : store.head();
  // The store proves that the position is one of its own.
  await store.readLog({ after, limit: 1 });
  return after;
}

/** A chunk that nobody takes is a client that does not read: it would hold its buffers for ever. */
async function* cutting(
  chunks: AsyncIterable<Buffer>,
  { stalledMaxMs, cut }: { readonly stalledMaxMs: number; readonly cut: () => void },
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    const stalled = setTimeout(cut, stalledMaxMs);
    try {
      yield chunk;
    } finally {
      clearTimeout(stalled);
    }
  }
}

function refuse(code: Rejection['code'], detail: string): Extract<LiveAnswer, { readonly outcome: 'rejected' }> {
  return reject(code, detail) as Extract<LiveAnswer, { readonly outcome: 'rejected' }>;
}

function notOurs(): Extract<LiveAnswer, { readonly outcome: 'rejected' }> {
  return refuse('INVALID_CURSOR', 'Last-Event-ID (or after) is no position of this store.');
}
