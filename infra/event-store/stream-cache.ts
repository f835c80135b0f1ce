import { LRUCache } from 'lru-cache';
import type { DecidedEvent } from '../../schemas/decision.ts';
import type { Recorded, RecordedEvent } from '../../schemas/envelope.ts';
import type { Revision, StreamName, TenantId } from '../../schemas/ids.ts';
import type { Decider } from './decider.ts';
import type { EventStore } from './port.ts';

/** A stream as this process last saw it. `revision` is -1 where it has no events. */
export type FoldedStream<State> = {
  readonly state: State;
  readonly revision: Revision;
  /** Whose stream it is; null where it has no events. */
  readonly tenantId: TenantId | null;
};

/**
 * The LRU of folded streams. It may be stale where other processes write: an append carries the revision that it was
 * decided on, and the store refuses it when that is not the head.
 */
export type StreamCache<State> = {
  /** What is cached, else what the store has. */
  take(stream: StreamName): Promise<FoldedStream<State>>;
  /** What is cached; else the beginning, without asking the store: for a command that starts its stream. */
  takeOrNew(stream: StreamName): FoldedStream<State>;
  /** Reads what came after the cached revision. */
  refresh(stream: StreamName): Promise<FoldedStream<State>>;
  /** The state after more events, kept nowhere. */
  fold(folded: FoldedStream<State>, events: readonly RecordedEvent[]): FoldedStream<State>;
  put(stream: StreamName, folded: FoldedStream<State>, events: readonly RecordedEvent[]): FoldedStream<State>;
  evict(stream: StreamName): void;
};

const pageMax = 10_000;

export function streamCache<State, Command, E extends DecidedEvent>(
  store: EventStore,
  decider: Decider<State, Command, E>,
  streamsMax: number,
): StreamCache<State> {
  const cache = new LRUCache<StreamName, FoldedStream<State>>({ max: streamsMax });
  const beginning: FoldedStream<State> = { state: decider.initial, revision: -1, tenantId: null };

  const fold = (from: FoldedStream<State>, events: readonly RecordedEvent[]): FoldedStream<State> => {
    let { state, revision, tenantId } = from;
    for (const event of events) {
      // The store gives a stream only events of its own decider's union.
      state = decider.evolve(state, event as unknown as Recorded<E>);
      revision = event.revision;
      tenantId = event.tenantId;
    }
    return { state, revision, tenantId };
  };

  const refresh = async (stream: StreamName): Promise<FoldedStream<State>> => {
    let folded = cache.get(stream) ?? beginning;
    for (;;) {
      const events = await store.readStream({ stream, fromRevision: folded.revision + 1, limit: pageMax });
      folded = fold(folded, events);
      if (events.length < pageMax) break;
    }
    if (folded.revision >= 0) cache.set(stream, folded);
    return folded;
  };

  return {
    refresh,
    fold,
    take: async (stream) => cache.get(stream) ?? (await refresh(stream)),
    takeOrNew: (stream) => cache.get(stream) ?? beginning,
    put: (stream, folded, events) => {
      const next = fold(folded, events);
      cache.set(stream, next);
      return next;
    },
    evict: (stream) => void cache.delete(stream),
  };
}
