import type { Origin, Position, RecordedEvent } from '../../schemas/envelope.ts';
import type { Rejection } from '../../schemas/decision.ts';
import type { Category, CommandId, EventId, Revision, StreamName, TenantId } from '../../schemas/ids.ts';

export type { RecordedEvent, Position };

/** An event ready to append. Its id is fixed before the first send, so that a resend after a lost answer is the same row. */
export type NewEvent = {
  readonly eventId: EventId;
  readonly type: string;
  readonly schemaVersion: number;
  /** ISO time; `undefined`: as recorded; null: nobody knows. */
  readonly occurredAt: string | null | undefined;
  readonly data: object;
};

/** The events of one command on one stream: appended all or none. */
export type Append = {
  readonly stream: StreamName;
  readonly tenantId: TenantId;
  /** The revision that the command was decided on; 'none' for a new stream. */
  readonly expected: Revision | 'none';
  readonly commandId: CommandId;
  /** `store.commandHash(payload)`. */
  readonly commandHash: string;
  readonly origin: Origin;
  readonly correlationId: string;
  readonly causationId: EventId | null;
  /** A word that no other event of the tenant may hold (an order's reference): taken by the first event. */
  readonly claim?: string;
  /** 1 to 500. */
  readonly events: readonly NewEvent[];
};

export type Appended = {
  readonly outcome: 'appended';
  /** Of the last event. */
  readonly revision: Revision;
  readonly position: Position;
  readonly events: readonly RecordedEvent[];
};

/** What a command's first run answered: from its events, or from the answers table. The event row is the receipt. */
export type CommandReceipt = {
  readonly tenantId: TenantId;
  readonly commandId: CommandId;
  readonly commandHash: string;
  readonly stream: StreamName;
  /** Of the stream after the command: its last event's revision + 1; what it was decided on where it made none. */
  readonly version: number;
  /** null: accepted. */
  readonly rejection: Rejection | null;
};

export type AppendResult =
  | Appended
  /** The stream has another head than expected (a gap or a newer event): read it and decide again. */
  | { readonly outcome: 'stale' }
  /** Another event of the tenant holds the claim. */
  | { readonly outcome: 'claimed' }
  /** The command id was used before, by this stream or another. */
  | { readonly outcome: 'known'; readonly receipt: CommandReceipt };

/** What `append` would answer now. */
export type RehearsalResult = Exclude<AppendResult, Appended> | { readonly outcome: 'appendable' };

export type AnswerResult =
  | { readonly outcome: 'recorded' }
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'known'; readonly receipt: CommandReceipt };

export type StreamSlice = {
  readonly stream: StreamName;
  readonly fromRevision?: Revision;
  /** 1 to 10,000; 10,000 if absent. */
  readonly limit?: number;
};

export type LogQuery = {
  /** Exclusive; null: from the beginning. */
  readonly after: Position | null;
  /** All where absent. */
  readonly categories?: readonly Category[];
  readonly types?: readonly string[];
  readonly recordedFrom?: string;
  readonly recordedTo?: string;
  /** 1 to 5,000. */
  readonly limit: number;
};

export type LogPage = {
  /** In the log's order; never one below which a transaction may still commit. */
  readonly events: readonly RecordedEvent[];
  /** Give it as `after` next: it moves past events that the filter left out. */
  readonly checkpoint: Position | null;
  /** Whether the page ends where the readable log ended. */
  readonly atEnd: boolean;
};

export type BacklogQuery = {
  /** Exclusive; null: from the beginning. */
  readonly after: Position | null;
  readonly categories: readonly Category[];
};

/** What a reader of the log has not seen yet: for metrics. */
export type Backlog = {
  /** Of these categories; at least so many where more than 100,000 events of the log lie after the position. */
  readonly events: number;
  /** Of the oldest of them, by the store's clock; 0 where there is none. Milliseconds. */
  readonly oldestAgeMs: number;
};

/** The session of the database whose append holds the readers' fence back. */
export type FenceHold = {
  readonly heldMs: number;
  readonly pid: number;
  readonly application: string;
  readonly user: string;
};

/**
 * The only truth. Every promise is kept over crashes of any process:
 * - an acknowledged append is durable, whole, and in the log for every reader, once;
 * - revisions of a stream are 0, 1, 2 … without gaps, in the log's order;
 * - a command id has one effect per tenant, ever;
 * - a reader that follows `readLog` checkpoints sees every event, in one order, and never one twice.
 *
 * Methods throw OperationalFailure: STORE_UNAVAILABLE (retryable, nothing stored), OUTCOME_UNKNOWN (retry with the same
 * ids tells), OVERLOADED (queue full, nothing stored), EVENT_TOO_LARGE, POISON_VALUE (not retryable, nothing stored),
 * FOREIGN_STORE (a position of another epoch or beyond the head).
 */
export type EventStore = {
  /** A uuid made with the store: part of every position and checkpoint. */
  readonly epoch: string;
  /** The epochs that `store adopt` ended here: what knows one of them knew this very store. */
  readonly formerEpochs: readonly string[];
  /** Appends one command's events; many calls in flight share statements (group commit). */
  append(append: Append): Promise<AppendResult>;
  /** Answers as `append` would now, refuses what it would refuse, and writes nothing: a dry run asks it. */
  rehearse(append: Append): Promise<RehearsalResult>;
  /** Makes an answer without events durable, if the stream's head is still the one decided on. */
  recordAnswer(receipt: CommandReceipt, expected: Revision | 'none'): Promise<AnswerResult>;
  readStream(slice: StreamSlice): Promise<readonly RecordedEvent[]>;
  readLog(query: LogQuery): Promise<LogPage>;
  findCommand(tenantId: TenantId, commandId: CommandId): Promise<CommandReceipt | null>;
  /** The position of the last readable event; null on an empty store. */
  head(): Promise<Position | null>;
  backlog(query: BacklogQuery): Promise<Backlog>;
  /** The oldest append in flight, of any process; null: none, or this store has no fence. */
  fenceHold(): Promise<FenceHold | null>;
  /** Below 0 where a is before b. */
  comparePositions(a: Position, b: Position): number;
  /** HMAC-SHA-256 with a secret of the store over the canonical JSON, hex: it outlives the subject's key. */
  commandHash(payload: unknown): string;
  /** Called after each append of this process with its position; the feed wakes up by it. Returns the way to stop. */
  onAppend(listener: (position: Position) => void): () => void;
  /** Resolves when the store answers a query. */
  ping(): Promise<void>;
  /** For metrics: appends queued, and the age in ms of the oldest append that holds the readers' fence back. */
  status(): { readonly queued: number; readonly fenceHeldMs?: number };
  close(): Promise<void>;
};
