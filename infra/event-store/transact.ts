import type { DecidedEvent, Rejection } from '../../schemas/decision.ts';
import type { Origin, RecordedEvent } from '../../schemas/envelope.ts';
import type { CommandId, EventId, StreamName, TenantId } from '../../schemas/ids.ts';
import type { Decider } from './decider.ts';

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
  /**
   * 'durable': an answer without events is kept (doors). 'recomputed': it is decided anew each time (commands of sagas,
   * whose deciders answer a repeat alike).
   */
  readonly answers: 'durable' | 'recomputed';
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
  /** The folded stream, read up to the store's head. */
  load(tenantId: TenantId, stream: StreamName): Promise<{ readonly state: State; readonly version: number }>;
};

export type TransactorOptions<State, Command, E extends DecidedEvent> = {
  readonly decider: Decider<State, Command, E>;
};
