import type { Origin } from '../../schemas/envelope.ts';

export type OrderStatus = 'placed' | 'paid' | 'shipped' | 'delivered' | 'cancelled' | 'returned';
export type PaymentStatus =
  'pending' | 'authorized' | 'captured' | 'failed' | 'unknown' | 'voided' | 'partially_refunded' | 'refunded';
export type FulfillmentStatus =
  'unfulfilled' | 'booked' | 'partially_shipped' | 'shipped' | 'delivered' | 'failed' | 'returned';

/** Amounts are integer minor units of the order's currency; `amount` is what is planned, as placed or last amended. */
export type SummaryPayment = {
  readonly paymentId: string;
  readonly method: string;
  readonly amount: number;
  readonly status: PaymentStatus;
  readonly authorized: number;
  readonly captured: number;
  readonly refunded: number;
};

export type SummaryRefund = {
  readonly refundId: string;
  readonly paymentId: string;
  readonly amount: number;
  readonly status: 'pending' | 'refunded' | 'failed';
};

export type LineQuantity = { readonly lineId: string; readonly quantity: number };

/** Times are null where nobody knows them; `status` tells whether it happened. */
export type SummaryShipment = {
  readonly shipmentId: string;
  readonly status: 'booked' | 'dispatched' | 'delivered' | 'failed' | 'cancelled';
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  readonly lines: readonly LineQuantity[];
  readonly shippedAt: string | null;
  readonly deliveredAt: string | null;
};

export type SummaryReturn = {
  readonly returnId: string;
  readonly status: string;
  readonly lines: readonly LineQuantity[];
};

export type SummaryLine = {
  readonly lineId: string;
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly tax: number;
  readonly name: string | null;
};

export type SummaryTotals = {
  readonly subtotal: number;
  readonly discount: number;
  readonly shipping: number;
  readonly tax: number;
  readonly total: number;
};

/** The OrderSummary of contract.md without `asOf`, which a reader adds when it answers. It holds nothing personal. */
export type OrderSummary = {
  readonly orderId: string;
  readonly reference: string | null;
  readonly tenantId: string;
  readonly customerId: string;
  readonly status: OrderStatus;
  readonly cancelReason: string | null;
  readonly payment: {
    readonly status: PaymentStatus;
    readonly authorized: number;
    readonly captured: number;
    readonly refunded: number;
    readonly refundPending: number;
    readonly items: readonly SummaryPayment[];
    readonly refunds: readonly SummaryRefund[];
  };
  readonly fulfillment: {
    readonly status: FulfillmentStatus;
    readonly shipments: readonly SummaryShipment[];
    readonly returns: readonly SummaryReturn[];
  };
  readonly currency: string;
  readonly totals: SummaryTotals;
  readonly lines: readonly SummaryLine[];
  readonly metadata: Readonly<Record<string, string>>;
  /** When the customer placed it: the effective time, else the recorded one. */
  readonly placedAt: string;
  /** The recorded time of the last event. */
  readonly updatedAt: string;
  readonly origin: Origin;
  readonly version: number;
};
