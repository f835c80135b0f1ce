/**
 * The carrier in our words.
 *
 * Promises of every adapter:
 * - An effect carries the caller's key (`orderId/step/attempt`); the same key is answered with its first result for
 *   ever, so asking twice is asking once.
 * - The same key with another operation, order or shipment throws DEPENDENCY_REFUSED.
 * - A business answer is a value, never an exception.
 * - After DEPENDENCY_TIMEOUT or DEPENDENCY_FAILED (both retryable) the outcome is unknown until `find` tells it; after
 *   DEPENDENCY_REFUSED (not retryable) nothing happened.
 * - An address is neither logged nor stored in a ledger.
 */
export type Logistics = {
  /** Books one shipment. Refused with `TOMBSTONED` when its key was cancelled before it arrived. */
  readonly book: (request: BookShipment, call?: LogisticsCall) => Promise<BookingResult>;
  /**
   * Undoes the booking made under `effectKey`. Where the carrier never saw that booking it leaves a tombstone, so that
   * a late run is refused `TOMBSTONED`. Refused with `ALREADY_DISPATCHED`.
   */
  readonly cancelBooking: (request: CancelBooking, call?: LogisticsCall) => Promise<CancellationResult>;
  /** Hands the parcel over. Refused with `BOOKING_NOT_FOUND` or `BOOKING_CANCELLED`. */
  readonly dispatch: (request: DispatchShipment, call?: LogisticsCall) => Promise<DispatchResult>;
  /** Asks where the parcel is; no effect, so no key. Answers `failed` with `NOT_DISPATCHED` before dispatch. */
  readonly delivery: (request: AskDelivery, call?: LogisticsCall) => Promise<DeliveryResult>;
  /** Tells the result of book, cancelBooking or dispatch under a key without any effect. */
  readonly find: (key: string, call?: LogisticsCall) => Promise<LogisticsResult | 'not-found'>;
};

export type BookShipment = ShipmentEffect & {
  readonly lines: readonly ShipmentLine[];
  readonly address?: ShipmentAddress;
};

/** `effectKey` is the key of the booking to undo; `key` is this undo's own. */
export type CancelBooking = ShipmentEffect & { readonly effectKey: string };

/** `providerId` is the one that `book` answered. */
export type DispatchShipment = ShipmentEffect & { readonly providerId: string };

export type AskDelivery = { readonly orderId: string; readonly shipmentId: string; readonly providerId: string };

export type BookingResult =
  | {
      readonly outcome: 'booked';
      readonly providerId: string;
      readonly carrier: string;
      readonly trackingNumber: string;
    }
  | Refused;

export type CancellationResult = { readonly outcome: 'cancelled' } | Refused;

/** `at` is an ISO 8601 time in UTC, by the carrier's clock. */
export type DispatchResult = { readonly outcome: 'dispatched'; readonly at: string } | Refused;

export type LogisticsResult = BookingResult | CancellationResult | DispatchResult;

export type DeliveryResult =
  | { readonly outcome: 'delivered'; readonly at: string }
  | { readonly outcome: 'in-transit' }
  | { readonly outcome: 'failed'; readonly code: string };

export type ShipmentLine = { readonly lineId: string; readonly sku: string; readonly quantity: number };

export type ShipmentAddress = {
  readonly name: string;
  readonly line1: string;
  readonly line2?: string;
  readonly city: string;
  readonly region?: string;
  readonly postalCode: string;
  readonly country: string;
};

/** An aborted signal ends the wait with DEPENDENCY_TIMEOUT; the effect may have happened. */
export type LogisticsCall = { readonly signal: AbortSignal };

type ShipmentEffect = { readonly key: string; readonly orderId: string; readonly shipmentId: string };
type Refused = { readonly outcome: 'refused'; readonly code: string };
