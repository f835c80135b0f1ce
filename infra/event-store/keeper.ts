import type { Position } from './port.ts';

/** What a store says of itself. */
export type StoreState = {
  readonly epoch: string;
  /** Oldest first. */
  readonly formerEpochs: readonly { readonly epoch: string; readonly endedAt: string }[];
  readonly events: number;
  readonly streams: number;
  /** Of the last event; null: there is none. */
  readonly head: Position | null;
  /** When the last event was recorded. */
  readonly lastRecordedAt: string | null;
  /**
   * Whether the events come from a server whose transaction ids are ahead of this one: new events would lie before
   * them, so the store cannot be opened.
   */
  readonly isAhead: boolean;
};

export type Adoption = {
  readonly epoch: string;
  readonly formerEpoch: string;
  /** Events that got another place in the log, in their old order. */
  readonly renumbered: number;
};

export type AdoptOptions = {
  /** Aborting it takes everything back. */
  readonly signal: AbortSignal;
  readonly onRenumbered?: (events: number) => void;
};

/** An operator's hands on a store that no process has open, also on one that refuses to be opened. */
export type StoreKeeper = {
  /** null: there is no event store at this place. Changes nothing. */
  state(): Promise<StoreState | null>;
  /**
   * Begins a new epoch: every position, checkpoint and cursor of the old one is refused from now on. Events that are
   * ahead of the server get new places below it, in the same order. One transaction: all of it or nothing.
   * @throws OperationalFailure STORE_UNAVAILABLE (retryable), also where somebody appends meanwhile; the signal's reason
   */
  adopt(options: AdoptOptions): Promise<Adoption>;
  close(): Promise<void>;
};
