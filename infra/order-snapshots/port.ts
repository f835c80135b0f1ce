import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { Checkpoint } from '../event-feed/port.ts';

/** A view ready to send: the OrderSummary's JSON without `asOf`, its version, and what asOf needs. */
export type OrderSnapshot = {
  readonly version: number;
  /** `recordedAt` of the event that made the version. */
  readonly eventTime: string;
  /** The order's later events wait for a repair. */
  readonly parked: boolean;
  /** JSON in UTF-8. */
  readonly body: Buffer;
};

/** Unpaid 15 min, in progress 24 h, fulfilled 72 h: only the writer sets these; a reader's fill lives at most 30 s. */
export type SnapshotTier = 'unpaid' | 'in-progress' | 'fulfilled' | 'fill';

export type SnapshotWrite = {
  readonly tenantId: TenantId;
  readonly orderId: OrderId;
  readonly snapshot: OrderSnapshot;
  readonly tier: SnapshotTier;
};

export type StoredSnapshot = SnapshotWrite & {
  /** How long it still lives; null: for ever, which no snapshot may. */
  readonly leftMs: number | null;
};

/** How far the cache was written, kept in the cache itself: one that fell back to an older state says so by it. */
export type WriterMark = {
  /** Of the event store whose events were written. */
  readonly epoch: string;
  readonly checkpoint: Checkpoint;
};

/** Names the writer's consumer, in checkpoints, logs and metrics. */
export const snapshotWriter = 'order-snapshots';

/**
 * A cache of order views, never truth: it may be emptied at any time. A write older than what is there is refused,
 * so a version never goes back; a fill never replaces what the writer wrote at the same version or later. Every
 * snapshot ends with its tier's life.
 *
 * Methods throw OperationalFailure SNAPSHOTS_UNAVAILABLE (retryable): soon, and at once while the cache is known to be
 * down; a write may then have been made or not, and may be repeated.
 */
export type OrderSnapshots = {
  /** In the ids' order; null where there is none. */
  get(tenantId: TenantId, orderIds: readonly OrderId[]): Promise<readonly (OrderSnapshot | null)[]>;
  /** For readers' fills and repairs; returns how many were refused as stale. */
  put(writes: readonly SnapshotWrite[]): Promise<number>;
  /** Forgets single orders, whatever their version: a repair. Readers fill them again. */
  remove(tenantId: TenantId, orderIds: readonly OrderId[]): Promise<void>;
  /** Every snapshot, for verify; one that is written meanwhile may come twice, or not. */
  scan(): AsyncIterable<StoredSnapshot>;
  /** The writer takes the cache over, from whoever wrote before. */
  beginWriting(): Promise<SnapshotWriting>;
  /** For metrics. */
  status(): SnapshotsStatus;
  close(): Promise<void>;
};

export type SnapshotsStatus = {
  readonly kind: 'memory' | 'redis';
  readonly isUp: boolean;
  /** Keys that readers wait for. */
  readonly reading: number;
};

/**
 * One writer's hold on one state of the cache. It is lost, and every later `put` refused, as soon as another writer put
 * something, the connection was cut, or the cache is another one than it was (emptied, restored, a replica promoted
 * that had not heard everything): then begin again, and compare the mark. So a writer that slept, or speaks to a
 * replaced cache, changes nothing.
 */
export type SnapshotWriting = {
  /**
   * Where the cache says it was written to: everything up to it is in, or was dropped since. null: nobody knows, as in
   * an empty cache.
   */
  readonly mark: WriterMark | null;
  /** Aborted when the hold is known to be lost. */
  readonly lost: AbortSignal;
  /** Drops all snapshots: they are of another store, or nobody knows how old. */
  clear(): Promise<void>;
  /** Puts the writes, and the mark behind them. Returns how many were refused as stale. */
  put(writes: readonly SnapshotWrite[], mark: WriterMark): Promise<number>;
  /** The writer stops. What nobody else would keep current is dropped: a cache in process, whole. */
  end(): Promise<void>;
};
