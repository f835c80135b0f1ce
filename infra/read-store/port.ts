import type { EventId, Revision, StreamName, TenantId } from '../../schemas/ids.ts';
import type { Checkpoint, Partition } from '../event-feed/port.ts';
import type { ParkedStream, Parking, ParkingStore } from './parking.ts';

/** A view's row is a JSON document under (tenant, key), with columns taken from it for filters. */
export type Document = Readonly<Record<string, unknown>>;

export type ColumnType = 'text' | 'bigint' | 'timestamptz' | 'text[]';
export type ColumnValue = string | number | readonly string[] | null;

/** `of` is a method, so that a list can hold the views of many kinds of document; each is only given its own. */
export type Column<D extends Document = Document> = { readonly type: ColumnType; of(document: D): ColumnValue };

export type View<D extends Document = Document> = {
  /** kebab-case; the table is its snake_case. */
  readonly name: string;
  /** Raised when the documents' shape or meaning changes: then the view is rebuilt. */
  readonly version: number;
  /** Columns for filters and orders, taken from the document at each write. Names are snake_case. */
  readonly columns: Readonly<Record<string, Column<D>>>;
  /** Each after the tenant; a text[] column alone is indexed for membership. */
  readonly indexes: readonly (readonly string[])[];
  /** A timestamptz column: rows past it can be claimed (timers). */
  readonly dueColumn?: string;
};

export type DocumentKey = { readonly tenantId: TenantId; readonly key: string };
/** `document: null` deletes. */
export type DocumentWrite = DocumentKey & { readonly document: Document | null };

/** How far a projector went in one stream: revision ≤ last with the same id is a duplicate, with another id a fork. */
export type Progress = { readonly stream: StreamName; readonly revision: Revision; readonly eventId: EventId };

/** Where a consumer stands in one partition. */
export type StoredCheckpoint = {
  readonly consumer: string;
  readonly partition: Partition;
  readonly position: Checkpoint;
};

/** Moves a checkpoint from what its owner believes it to be; another owner's move makes it fail. */
export type CheckpointMove = {
  readonly consumer: string;
  readonly partition: Partition;
  readonly from: Checkpoint | null;
  readonly to: Checkpoint;
  /** The turn of the place that was loaded; another one makes the move fail. Absent: any will do. */
  readonly turn?: string;
};

/** Where a consumer is believed to stand. */
export type StoredCheckpointPlace = {
  readonly consumer: string;
  readonly partition: Partition;
  readonly from: Checkpoint;
};

/** Where a consumer stands, and what it left behind on the way: loaded together, so that one compare-and-set covers both. */
export type Place = {
  readonly checkpoint: Checkpoint | null;
  /** Changes when somebody mends what is parked. */
  readonly turn: string;
  readonly parked: readonly ParkedStream[];
};

export type BatchWrite = {
  readonly view: View;
  readonly documents: readonly DocumentWrite[];
  readonly progress: readonly Progress[];
  /** Of streams that this batch begins, as far as its writer knows; apart from `progress`. None if absent. */
  readonly begun?: readonly Progress[];
  readonly move: CheckpointMove;
  readonly parking?: Parking;
};

export type CommitOutcome = 'committed' | 'moved' | 'seen';

export type Filter =
  | { readonly column: string; readonly equals: string | number }
  /** From inclusive, to exclusive. */
  | { readonly column: string; readonly from?: string | number; readonly to?: string | number }
  | { readonly column: string; readonly contains: string };

export type ListQuery<D extends Document = Document> = {
  readonly view: View<D>;
  readonly tenantId: TenantId;
  readonly filters: readonly Filter[];
  /** Order: this column descending, then key descending. */
  readonly newestBy: string;
  /** Exclusive: the last row of the page before. */
  readonly after?: { readonly value: string | number; readonly key: string };
  /** 1 to 201: a page, and one more to know whether there is a next. */
  readonly limit: number;
};

export type Row<D extends Document = Document> = DocumentKey & { readonly document: D };

/**
 * Where views live. Rows, progress and checkpoint of a batch are one transaction; the compare-and-set of the
 * checkpoint is the fence between two owners. Throws OperationalFailure VIEWS_UNAVAILABLE (retryable).
 */
export type ReadStore = {
  /** Makes the tables of the views; safe to run by several processes at once, and again. */
  prepare(views: readonly View[]): Promise<void>;
  loadCheckpoint(consumer: string, partition: Partition): Promise<Checkpoint | null>;
  loadPlace(consumer: string, partition: Partition): Promise<Place>;
  /** Every consumer's, by its name; none in a database that was never prepared. */
  checkpoints(): Promise<readonly StoredCheckpoint[]>;
  /**
   * Moves a checkpoint without rows, together with what its consumer parks. 'moved': another owner moved it or took a
   * turn; nothing was written.
   */
  moveCheckpoint(move: CheckpointMove, parking?: Parking): Promise<'committed' | 'moved'>;
  /** A consumer that has to begin again, if it still stands at `from`. 'moved': another owner went on. */
  forgetCheckpoint(place: StoredCheckpointPlace): Promise<'committed' | 'moved'>;
  /**
   * All of it or nothing. 'moved': another owner moved the checkpoint or took a turn; nothing was written. 'seen': the
   * consumer has progress of a stream that is said to begin; nothing was written.
   * @throws OperationalFailure POISON_VALUE: a document that cannot be held, or a column that its view cannot make
   */
  commit(batch: BatchWrite): Promise<CommitOutcome>;
  /** Whether the view can hold these documents: writes them and takes it back. Throws POISON_VALUE as `commit` does. */
  probe(view: View, documents: readonly DocumentWrite[]): Promise<void>;
  /** In the keys' order; null where there is none. Many calls in one tick share a statement. */
  find<D extends Document>(view: View<D>, keys: readonly DocumentKey[]): Promise<readonly (D | null)[]>;
  loadProgress(consumer: string, streams: readonly StreamName[]): Promise<ReadonlyMap<StreamName, Progress>>;
  /** Every stream that a consumer has seen, in pages; order: stream. */
  scanProgress(consumer: string): AsyncIterable<Progress>;
  list<D extends Document>(query: ListQuery<D>): Promise<readonly { readonly key: string; readonly document: D }[]>;
  /** How many rows hold each value of a text column, over all tenants: for metrics. */
  countBy<D extends Document>(view: View<D>, column: string): Promise<ReadonlyMap<string, number>>;
  /** Every document, or every one that passes the filter, of all tenants in pages; order: tenant, key. */
  scan<D extends Document>(view: View<D>, filter?: Filter): AsyncIterable<Row<D>>;
  /** Takes due rows for `leaseMs` by the database's clock: another claim in that time does not see them. Autocommit. */
  claimDue<D extends Document>(
    view: View<D>,
    options: { readonly limit: number; readonly leaseMs: number },
  ): Promise<readonly Row<D>[]>;
  /** Empties a view with its consumer's progress, checkpoints and parking: the next run rebuilds it. */
  clear(view: View): Promise<void>;
  readonly parking: ParkingStore;
  /** Empties all that is here, whoever wrote it: rows, progress and checkpoints of every consumer. */
  clearAll(): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
};
