import type { OrderId, TenantId } from '../../schemas/ids.ts';

/** A view ready to send: the OrderSummary's JSON without `asOf`, its version, and what asOf needs. */
export type OrderSnapshot = {
  readonly version: number;
  /** `recordedAt` of the event that made the version. */
  readonly eventTime: string;
  /** JSON text. */
  readonly body: string;
};

/** Unpaid 15 min, in progress 24 h, fulfilled 72 h: only the writer sets these; a reader's fill lives at most 30 s. */
export type SnapshotTier = 'unpaid' | 'in-progress' | 'fulfilled' | 'fill';

export type SnapshotWrite = {
  readonly tenantId: TenantId;
  readonly orderId: OrderId;
  readonly snapshot: OrderSnapshot;
  readonly tier: SnapshotTier;
};

/**
 * A cache of order views, never truth: it may be emptied at any time. A write older than what is there is refused,
 * so a version never goes back; a fill never replaces what the writer wrote at the same version or later.
 */
export type OrderSnapshots = {
  get(tenantId: TenantId, orderIds: readonly OrderId[]): Promise<readonly (OrderSnapshot | null)[]>;
  /** Returns how many were refused as stale. */
  put(writes: readonly SnapshotWrite[]): Promise<number>;
  /**
   * The writer lost its place: another process may write now. A cache in process drops all, since it would no longer
   * learn of changes; a shared cache has nothing to do.
   */
  writerRestarted(): Promise<void>;
  close(): Promise<void>;
};
