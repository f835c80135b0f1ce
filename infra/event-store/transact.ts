import type { DecidedEvent, Rejection } from '../../schemas/decision.ts';
import type { Origin, RecordedEvent } from '../../schemas/envelope.ts';
import type { CommandId, EventId, StreamName, TenantId } from '../../schemas/ids.ts';
import { OperationalFailure } from '../failures.ts';
import type { SubjectKeys } from '../subject-keys/port.ts';
import { answerStore } from './answers.ts';
import type { Decider } from './decider.ts';
import { inFlight } from './in-flight.ts';
import type { EventStore } from './port.ts';
import { prepareAppend } from './prepare-append.ts';
import { dryCache, dryRequest, dryStore, thrownAwayKeys } from './preview.ts';
import { streamCache, type FoldedStream, type StreamCache } from './stream-cache.ts';
import { streamQueue } from './stream-queue.ts';

export type TransactRequest<Command> = {
  readonly tenantId: TenantId;
  readonly stream: StreamName;
  readonly commandId: CommandId;
  readonly command: Command;
  /** What the idempotency hash covers: the payload as it came in, with the kind and target of the command. */
  readonly payload: unknown;
  readonly origin?: Origin;
  readonly correlationId: string;
  readonly causationId: EventId | null;
  /** If-Match: decide only at this version; 'any' if absent. */
  readonly expectedVersion?: number;
  /** The command begins its stream: it is decided on nothing without reading first, and the store's guard tells. */
  readonly startsStream?: boolean;
  /** What must be durable before the append, beside the keys: begun when something is to be appended. */
  readonly durableFirst?: () => Promise<void>;
  /**
   * 'durable': an answer without events is kept (doors). 'recomputed': it is decided anew each time (commands of sagas,
   * whose deciders answer a repeat alike). 'all-durable': also a refusal that HTTP decides anew (INVALID_VALUE), for a door
   * that tells an answer more than once; never ORDER_NOT_FOUND.
   */
  readonly answers: 'durable' | 'recomputed' | 'all-durable';
};

export type TransactAnswer<State> =
  | {
      readonly outcome: 'accepted';
      /** Of the stream after this command. */
      readonly version: number;
      /** What this command appended; empty for a no-op. Empty on a replay. */
      readonly events: readonly RecordedEvent[];
      /** Of the stream as this process knows it now: at or after `version`. */
      readonly state: State;
      readonly replayed: boolean;
    }
  | {
      readonly outcome: 'rejected';
      readonly rejection: Rejection;
      readonly version: number;
      readonly replayed: boolean;
    }
  /** If-Match names another version: 412, not durable. */
  | { readonly outcome: 'version-mismatch'; readonly version: number }
  /** Same id, other payload: 422 IDEMPOTENCY_KEY_REUSED. */
  | { readonly outcome: 'key-reused' }
  /** A twin in flight did not end within 2 s: 409 IDEMPOTENCY_KEY_IN_PROGRESS. */
  | { readonly outcome: 'in-progress' };

export type Transactor<State, Command> = {
  /**
   * Load (or take from the LRU of folded streams) → fold → decide → append at the expected revision → on a conflict
   * read what came in between and decide again, bounded → answer.
   * Throws OperationalFailure: STORE_UNAVAILABLE, OUTCOME_UNKNOWN, OVERLOADED, CONFLICT_RETRIES_EXHAUSTED (retryable),
   * EVENT_TOO_LARGE, POISON_VALUE (not).
   */
  transact(request: TransactRequest<Command>): Promise<TransactAnswer<State>>;
  /**
   * A dry run: answers as `transact` would now, and nothing durable comes of it: no event, answer, key or claim, nor a
   * state that the next command would be decided on. `events` are what would be recorded, without a position. Reads what
   * came after the cached revision first. Throws what `transact` throws.
   */
  preview(request: TransactRequest<Command>): Promise<TransactAnswer<State>>;
  /** The folded stream, read up to the store's head. */
  load(tenantId: TenantId, stream: StreamName): Promise<{ readonly state: State; readonly version: number }>;
};

type Deciding<State, Command, E extends DecidedEvent> = {
  readonly decider: Decider<State, Command, E>;
  /** Needed where decided events carry personal data. */
  readonly subjectKeys?: Pick<SubjectKeys, 'current' | 'persist'>;
};

export type TransactorOptions<State, Command, E extends DecidedEvent> = Deciding<State, Command, E> & {
  /** Folded streams kept; 10,000 if absent. */
  readonly streamsMax?: number;
  /** Commands queued or running in this process; 20,000 if absent. */
  readonly waitingMax?: number;
  /** Told of each answer that a receipt gave, and of each decision that lost a race. */
  readonly observe?: (what: 'replayed' | 'conflict') => void;
};

/** How often one command is decided anew after losing a race before its caller is told to retry. */
const attemptsMax = 20;
const twinWaitMs = 2_000;

export function openTransactor<State, Command, E extends DecidedEvent>(
  store: EventStore,
  options: TransactorOptions<State, Command, E>,
): Transactor<State, Command> {
  const { decider } = options;
  const cache = streamCache(store, decider, options.streamsMax ?? 10_000);
  const queue = streamQueue(options.waitingMax ?? 20_000);
  const twins = inFlight<TransactAnswer<State>>(twinWaitMs);
  const noteConflict = (): void => options.observe?.('conflict');
  const run = untilAnswered(cache, decideAndStore(store, cache, options), noteConflict);
  const dryOptions = { decider, subjectKeys: thrownAwayKeys };
  const rehearse = untilAnswered(cache, decideAndStore(dryStore(store), dryCache(cache), dryOptions), noteConflict);

  return {
    transact: async (request) => {
      const hash = store.commandHash(request.payload);
      const { tenantId, commandId, stream } = request;
      const twin = await twins.run({ tenantId, commandId, hash }, () => queue.run(stream, () => run(request, hash)));
      if (twin.kind === 'first') return notedReplay(twin.answer, options);
      if (twin.kind === 'other-payload') return { outcome: 'key-reused' };
      if (twin.kind === 'still-running') return { outcome: 'in-progress' };
      return notedReplay(asReplay(twin.answer), options);
    },
    preview: (request) =>
      queue.run(request.stream, async () => {
        await cache.refresh(request.stream);
        return rehearse(dryRequest(request), store.commandHash(request.payload));
      }),
    load: async (tenantId, stream) => {
      const folded = visibleTo(tenantId, await cache.refresh(stream), decider.initial);
      return { state: folded.state, version: folded.revision + 1 };
    },
  };
}

type Attempt<State, Command> = (
  request: TransactRequest<Command>,
  hash: string,
  attempts: number,
) => Promise<TransactAnswer<State> | 'again'>;

function untilAnswered<State, Command>(
  cache: StreamCache<State>,
  attempt: Attempt<State, Command>,
  noteConflict: () => void,
): (request: TransactRequest<Command>, hash: string) => Promise<TransactAnswer<State>> {
  return async (request, hash) => {
    try {
      for (let attempts = 0; attempts < attemptsMax; attempts += 1) {
        const answer = await attempt(request, hash, attempts);
        if (answer !== 'again') return answer;
        noteConflict();
      }
    } catch (error) {
      // What the cache holds may not be what the store holds: the next command reads it anew.
      cache.evict(request.stream);
      throw error;
    }
    const detail = `${request.stream} changed ${attemptsMax} times while deciding`;
    throw new OperationalFailure('CONFLICT_RETRIES_EXHAUSTED', detail, { retryable: true });
  };
}

/** One round: decide on the folded stream, store what was decided; 'again' where another writer was faster. */
function decideAndStore<State, Command, E extends DecidedEvent>(
  store: EventStore,
  cache: StreamCache<State>,
  options: Deciding<State, Command, E>,
): Attempt<State, Command> {
  const { decider } = options;
  const answers = answerStore({ store, cache, initial: decider.initial });
  return async (request, hash, attempts) => {
    const { stream, tenantId, expectedVersion } = request;
    const raw = await takeFolded(cache, request, attempts);
    const folded = visibleTo(tenantId, raw, decider.initial);
    // A stream that is not there has no version to compare: its decider says so.
    const exists = folded.revision >= 0 || request.startsStream === true;
    if (expectedVersion !== undefined && exists && expectedVersion !== folded.revision + 1) {
      return answers.mismatch(request, hash, raw.revision);
    }
    const decision = decider.decide(request.command, folded.state);
    if (decision.outcome === 'rejected')
      return answers.withoutEvents(request, hash, { folded: raw, rejection: decision.rejection });
    if (decision.events.length === 0) return answers.withoutEvents(request, hash, { folded: raw, rejection: null });

    const append = await prepareAppend(
      request,
      { hash, expected: raw.revision, decided: decision.events },
      options.subjectKeys,
    );
    const result = await store.append(append);
    switch (result.outcome) {
      case 'appended': {
        const next = cache.put(stream, raw, result.events);
        return {
          outcome: 'accepted',
          version: result.revision + 1,
          events: result.events,
          state: next.state,
          replayed: false,
        };
      }
      case 'known':
        return answers.fromReceipt(request, hash, result.receipt);
      case 'claimed': {
        const detail = `${append.claim ?? ''} is taken`;
        return answers.withoutEvents(request, hash, { folded: raw, rejection: { code: 'REFERENCE_TAKEN', detail } });
      }
      case 'stale':
        await cache.refresh(stream);
        return 'again';
    }
  };
}

function takeFolded<State, Command>(
  cache: StreamCache<State>,
  request: TransactRequest<Command>,
  attempts: number,
): Promise<FoldedStream<State>> | FoldedStream<State> {
  return request.startsStream === true && attempts === 0 ? cache.takeOrNew(request.stream) : cache.take(request.stream);
}

/** Another tenant's stream does not exist for this one. */
function visibleTo<State>(tenantId: TenantId, folded: FoldedStream<State>, initial: State): FoldedStream<State> {
  return folded.tenantId === null || folded.tenantId === tenantId
    ? folded
    : { state: initial, revision: -1, tenantId: null };
}

function asReplay<State>(answer: TransactAnswer<State>): TransactAnswer<State> {
  if (answer.outcome === 'accepted') return { ...answer, events: [], replayed: true };
  return answer.outcome === 'rejected' ? { ...answer, replayed: true } : answer;
}

function notedReplay<State, Command, E extends DecidedEvent>(
  answer: TransactAnswer<State>,
  options: TransactorOptions<State, Command, E>,
): TransactAnswer<State> {
  if ((answer.outcome === 'accepted' || answer.outcome === 'rejected') && answer.replayed)
    options.observe?.('replayed');
  return answer;
}
