/** What a fault run found. Times are in milliseconds. */
export type FaultReport = {
  readonly seed: number;
  /** Commands that were sent, each counted once. */
  readonly ops: number;
  readonly acked: number;
  /** Acknowledged and no longer there. */
  readonly lost: number;
  /** Commands with two effects: two orders, or two charges. */
  readonly dup: number;
  /** Commands of which the client did not know for a while what became of them. */
  readonly ambiguous: number;
  /** Commands of which it never learned it. */
  readonly unresolved: number;
  /** From the last launch to ready. */
  readonly readyMs: number;
  /** From ready until everything was as it must be; null where it never was. */
  readonly consistentMs: number | null;
  /** What else is worth a look. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** One sentence for each thing that does not hold; empty: all hold. */
  readonly problems: readonly string[];
};

export type Skipped = { readonly skipped: string };
