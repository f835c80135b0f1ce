/**
 * The payment gateway in our words. Amounts are integer minor units with their ISO 4217 currency.
 *
 * Promises of every adapter:
 * - An effect carries the caller's key (`orderId/step/attempt`); the same key is answered with its first result for
 *   ever, so asking twice is asking once.
 * - The same key with another operation, order, payment or amount throws DEPENDENCY_REFUSED.
 * - A business answer is a value: `succeeded` or `declined`, never an exception.
 * - After DEPENDENCY_TIMEOUT or DEPENDENCY_FAILED (both retryable) the outcome is unknown until `find` tells it; after
 *   DEPENDENCY_REFUSED (not retryable) nothing happened.
 */
export type Payments = {
  /**
   * Holds an amount for a later capture.
   * Declined with `CARD_DECLINED`, or `TOMBSTONED` when its key was voided before it arrived.
   */
  readonly authorize: (request: AuthorizePayment, call?: PaymentCall) => Promise<PaymentResult>;
  /**
   * Takes at most what is held and not yet taken.
   * Declined with `AUTHORIZATION_NOT_FOUND`, `AUTHORIZATION_VOIDED`, `EXCEEDS_AUTHORIZED` or `TOMBSTONED`.
   */
  readonly capture: (request: CapturePayment, call?: PaymentCall) => Promise<PaymentResult>;
  /**
   * Undoes the authorize or capture that ran under `effectKey`, before money moved. Where the gateway never saw that
   * run it leaves a tombstone, so that a late run is declined `TOMBSTONED`; a tombstone's amount is 0 of currency XXX.
   * Declined with `ALREADY_CAPTURED` once money moved: refund it.
   */
  readonly void: (request: VoidPayment, call?: PaymentCall) => Promise<PaymentResult>;
  /**
   * Gives back at most what was captured and not yet given back.
   * Declined with `CAPTURE_NOT_FOUND` or `EXCEEDS_CAPTURED`.
   */
  readonly refund: (request: RefundPayment, call?: PaymentCall) => Promise<PaymentResult>;
  /**
   * Tells the result under a key without any effect: ask before compensating an unknown outcome. `not-found` may still
   * change while the run is on its way; `void` with that `effectKey` makes it final.
   */
  readonly find: (key: string, call?: PaymentCall) => Promise<PaymentResult | 'not-found'>;
};

/** `providerId` is the gateway's own id of this authorization, capture, void or refund. */
export type PaymentResult =
  | { readonly outcome: 'succeeded'; readonly providerId: string; readonly amount: number; readonly currency: string }
  | { readonly outcome: 'declined'; readonly code: string };

export type AuthorizePayment = PaymentEffect & Amount & { readonly method: string; readonly token?: string };

/** `authorizationId` is the `providerId` that `authorize` answered. */
export type CapturePayment = PaymentEffect & Amount & { readonly authorizationId: string };

/** `effectKey` is the key of the authorize or capture to undo; `key` is this undo's own. */
export type VoidPayment = PaymentEffect & { readonly effectKey: string };

/** `captureId` is the `providerId` that `capture` answered. */
export type RefundPayment = PaymentEffect & Amount & { readonly captureId: string };

/** An aborted signal ends the wait with DEPENDENCY_TIMEOUT; the effect may have happened. */
export type PaymentCall = { readonly signal: AbortSignal };

type PaymentEffect = { readonly key: string; readonly orderId: string; readonly paymentId: string };
type Amount = { readonly amount: number; readonly currency: string };
