/**
 * The risk service in our words. Amounts are integer minor units with their ISO 4217 currency.
 *
 * Promises of every adapter:
 * - The same key is answered with its first result for ever; with another order or amount it throws
 *   DEPENDENCY_REFUSED (not retryable).
 * - A rejection is a value, never an exception.
 * - DEPENDENCY_TIMEOUT and DEPENDENCY_FAILED (both retryable) leave nothing to undo: ask again with the same key.
 */
export type Risk = {
  /** Judges an order before anything is held for it. */
  readonly assess: (request: AssessRisk, call?: RiskCall) => Promise<RiskResult>;
};

export type AssessRisk = {
  readonly key: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly amount: number;
  readonly currency: string;
};

export type RiskResult = { readonly outcome: 'accepted' } | { readonly outcome: 'rejected'; readonly code: string };

/** An aborted signal ends the wait with DEPENDENCY_TIMEOUT. */
type RiskCall = { readonly signal: AbortSignal };
