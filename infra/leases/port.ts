/** One holding of a lease: no two have the same token. */
export type Lease = {
  readonly name: string;
  /** Greater than the token of every holder before: a fence where the work has none of its own. */
  readonly token: number;
  /**
   * Aborted when the lease is lost: another holds it, or it could not be renewed until its end. A process that was
   * stopped learns it when it goes on, maybe after its first steps: whatever it writes must have a fence of its own.
   */
  readonly signal: AbortSignal;
  /** Gives it up at once, so that nobody waits for its end. Never fails: what cannot be given back expires. Repeatable. */
  release(): Promise<void>;
};

/**
 * Who works on what, among processes: one holder of each name at a time, until it releases the lease, or dies or is
 * stopped for as long as the lease lives. A lease saves work and no more: what must not happen twice is fenced where it
 * is written. Ends are judged by the table's clock, and by the holder by its own monotonic one; no two clocks are compared.
 */
export type Leases = {
  /** null: it is held, here or elsewhere. Throws OperationalFailure VIEWS_UNAVAILABLE (retryable). */
  tryAcquire(name: string): Promise<Lease | null>;
  /** Those held end by themselves; a runner released them before. */
  close(): Promise<void>;
};

export type Holding = Pick<Lease, 'name' | 'token'>;

/** The name of a process's connection to its leases: who follows the log has one, a verb that only looks has none. */
export const leasesName = 'order-center leases';

/** What an adapter keeps: one row for each name. Throws OperationalFailure VIEWS_UNAVAILABLE (retryable). */
export type LeaseTable = {
  /** The token, or null: somebody holds it. The row's end is set by the table's clock. */
  acquire(wanted: { readonly name: string; readonly owner: string; readonly ttlMs: number }): Promise<number | null>;
  /** The names that are still held under their tokens, now for another `ttlMs`; also one whose end nobody used. */
  renew(holdings: readonly Holding[], ttlMs: number): Promise<ReadonlySet<string>>;
  /** Ends them now; one that another holds by now stays his. */
  release(holdings: readonly Holding[]): Promise<void>;
  /** Ends what an owner held: only for whoever knows that it is dead. */
  releaseOwner(owner: string): Promise<void>;
  close(): Promise<void>;
};
