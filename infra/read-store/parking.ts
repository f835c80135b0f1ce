import type { EventId, Revision, StreamName, TenantId } from '../../schemas/ids.ts';
import type { Position } from '../../schemas/envelope.ts';
import type { Document, DocumentKey, DocumentWrite, Progress, View } from './port.ts';

/** Parks orders whose events it cannot read, as a view does; it has no rows. */
export const fulfillment = 'fulfillment';

/** One stream that a consumer left behind, with its view as it was before the event that could not be folded. */
export type ParkedStream = {
  /** The view's name, or `fulfillment`. */
  readonly consumer: string;
  readonly stream: StreamName;
  readonly tenantId: TenantId;
  /** Of the first event that waits. */
  readonly firstRevision: Revision;
  readonly firstPosition: Position;
  /** Of the last event that the consumer met: a drain must come so far. */
  readonly lastRevision: Revision;
  /** Short and stable: the same error at the same place of our code. */
  readonly fingerprint: string;
  /** Its type and place; never a message, which may quote what a customer typed. */
  readonly error: string;
  /** ISO. */
  readonly since: string;
  /** Drains that failed. */
  readonly attempts: number;
  /** ISO; null before the first drain. */
  readonly lastAttemptAt: string | null;
  /** Discarded: given up by an operator; later events are not even noted. A drain still brings it back. */
  readonly state: 'parked' | 'discarded';
};

/**
 * Where an event waits. The event itself stays in the store, which is the truth and is read again by a drain: a copy
 * could only differ from it, and would be one more place with a customer's data.
 */
export type ParkedEvent = {
  readonly stream: StreamName;
  readonly revision: Revision;
  readonly eventId: EventId;
  readonly position: Position;
  readonly type: string;
};

/** What a batch parks: rows of streams as they shall be, and the events that came. */
export type Parking = { readonly streams: readonly ParkedStream[]; readonly events: readonly ParkedEvent[] };

export type ListedStream = ParkedStream & { readonly events: number };

/** Streams with one error; `since` is the oldest. */
export type ParkedGroup = Pick<ParkedStream, 'consumer' | 'fingerprint' | 'error' | 'state' | 'since'> & {
  readonly streams: number;
  readonly events: number;
  readonly example: StreamName;
};

export type ParkedFilter = {
  readonly consumer?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly streams?: readonly StreamName[] | undefined;
  readonly state?: ParkedStream['state'] | undefined;
};

export type ParkedPage = {
  readonly filter: ParkedFilter;
  /** Exclusive: the last one of the page before. */
  readonly after?: Pick<ParkedStream, 'consumer' | 'stream'> | undefined;
  readonly limit: number;
};

/** What is there of a stream, held still: its consumer commits nothing meanwhile. */
export type Held = {
  readonly parked: ParkedStream | null;
  readonly progress: Progress | null;
  /** In the order of the keys. */
  readonly documents: readonly (Document | null)[];
};

export type Mended = {
  readonly documents: readonly DocumentWrite[];
  /** null: as it was. */
  readonly progress: Progress | null;
  /** As it shall be; null: the stream is parked no more. */
  readonly parked: ParkedStream | null;
};

export type Mending<Answer> = {
  /** Of a consumer without rows: its name alone, without keys and documents. */
  readonly view: View;
  readonly stream: StreamName;
  readonly keys: readonly DocumentKey[];
  /** Pure. `mended: null`: nothing is to be changed. */
  fold(held: Held): { readonly answer: Answer; readonly mended: Mended | null };
};

/**
 * What consumers left behind. A commit of the read store parks; here it is looked at and mended.
 * Throws OperationalFailure VIEWS_UNAVAILABLE (retryable).
 */
export type ParkingStore = {
  /** All of one consumer, discarded ones too; a consumer that has too many stops, so they are few. */
  streams(consumer: string): Promise<readonly ParkedStream[]>;
  /** Most streams first. */
  groups(): Promise<readonly ParkedGroup[]>;
  /** Order: consumer, stream. */
  list(page: ParkedPage): Promise<readonly ListedStream[]>;
  /** Order: revision. */
  events(consumer: string, stream: StreamName, limit: number): Promise<readonly ParkedEvent[]>;
  /**
   * Changes one parked stream and its documents under the lock that every commit of the consumer takes, and gives the
   * consumer's place a new turn: who holds the old one must load it again before it may commit.
   * @throws OperationalFailure POISON_VALUE: a document that cannot be held; nothing was written
   */
  mend<Answer>(mending: Mending<Answer>): Promise<Answer>;
};

/**
 * 'drained': the consumer knows all of the stream. 'parked': there still is an event that it cannot take; what came before
 * it, is taken. 'gone': nothing is parked there (any more).
 */
export type DrainOutcome = 'drained' | 'parked' | 'gone';

/** A consumer without rows that parks: how what it left behind is brought to it after a fix. */
export type ParkedConsumer = {
  readonly name: string;
  /** Throws OperationalFailure (retryable). */
  drain(stream: StreamName): Promise<DrainOutcome>;
};

/** The name of a consumer without rows, where the parking store asks for a view. */
export function withoutRows(name: string): View {
  return { name, version: 1, columns: {}, indexes: [] };
}
