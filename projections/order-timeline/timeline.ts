/** What one step of an order's life was about; a part is absent where the step has none. Amounts are minor units. */
export type StepParts = {
  readonly amount?: number;
  readonly currency?: string;
  /** Units, of all lines together. */
  readonly quantity?: number;
  readonly paymentId?: string;
  readonly refundId?: string;
  readonly shipmentId?: string;
  readonly carrier?: string;
  readonly trackingNumber?: string;
  /** The caller's or ours, as OrderSummary's cancelReason. */
  readonly reason?: string;
  /** Why it failed, as the gateway said. */
  readonly code?: string;
};

/** One step, in words that a shop's support page can show. */
export type TimelineItem = StepParts & {
  /** Of the order after it. */
  readonly version: number;
  /** When it happened; null: history that nobody knows the time of. */
  readonly at: string | null;
  /** Of the event. */
  readonly type: string;
  readonly title: string;
};

/** The life of one order. Nothing personal. */
export type OrderTimeline = {
  readonly orderId: string;
  /** Oldest first; the last `itemsMax`. */
  readonly items: readonly TimelineItem[];
  /** Older steps that are left out; `/v1/orders/{id}/events` has them all. */
  readonly omitted: number;
  /** The recorded time of the last event. */
  readonly updatedAt: string;
  readonly version: number;
};

/** An order has some ten steps; one that a broken provider floods with facts must not grow its document for ever. */
export const itemsMax = 500;
