import type { OrderId } from './ids.ts';
import type { Address } from './personal-data.ts';

/**
 * Commands ask. Fields are spelled as on HTTP, so that one payload has one hash on every door. Times and ids arrive
 * inside: deciding is pure. Money is integer minor units.
 */
export type OrderLineInput = {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly tax?: number;
  readonly name?: string;
};

/** `token` never reaches an event: the door puts it into the short-lived token table (infra/payment-tokens). */
export type PaymentInput = { readonly method: string; readonly amount?: number; readonly token?: string };

export type OrderInput = {
  readonly reference?: string;
  readonly customerId: string;
  readonly currency: string;
  readonly lines: readonly OrderLineInput[];
  readonly shippingFee?: number;
  readonly discount?: number;
  readonly shippingAddress?: Address;
  readonly email?: string;
  readonly payments: readonly PaymentInput[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly occurredAt?: string;
};

/** What of an order may change before its payment began; at least one of them. */
export type AmendmentInput = {
  /** The whole new list: a line with the id of one that the order has keeps it, any other gets an id that was never used. */
  readonly lines?: readonly (OrderLineInput & { readonly lineId?: string })[];
  readonly shippingFee?: number;
  readonly discount?: number;
  readonly shippingAddress?: Address;
  /** New planned amounts; a payment that is not named keeps its amount. One payment alone follows the total by itself. */
  readonly payments?: readonly { readonly paymentId: string; readonly amount: number }[];
};

/** What happened to a historical order, in the order it happened. */
export type HistoricalFact =
  | { readonly kind: 'paid'; readonly occurredAt: string | null; readonly payment: number }
  | { readonly kind: 'refunded'; readonly occurredAt: string | null; readonly payment: number; readonly amount: number }
  | { readonly kind: 'shipped' | 'delivered'; readonly occurredAt: string | null }
  | { readonly kind: 'cancelled'; readonly occurredAt: string | null; readonly reason?: string };

type OfOrder<Type extends string> = { readonly type: Type; readonly orderId: OrderId };
type PaymentFact<Type extends string> = OfOrder<Type> & {
  readonly paymentId: string;
  /** The provider's own id of the fact: a repeat of (kind, id) is dropped, whatever command brings it. */
  readonly providerId: string;
  readonly amount: number;
  readonly currency: string;
  readonly occurredAt?: string;
};
type ShipmentFact<Type extends string> = OfOrder<Type> & {
  readonly shipmentId: string;
  readonly providerId: string;
  readonly occurredAt?: string;
};

export type PlaceOrder = OfOrder<'PlaceOrder'> & { readonly tenantId: string; readonly order: OrderInput };
export type BackfillOrder = OfOrder<'BackfillOrder'> & {
  readonly tenantId: string;
  readonly order: OrderInput;
  readonly facts: readonly HistoricalFact[];
};
export type AmendOrder = OfOrder<'AmendOrder'> & { readonly tenantId: string; readonly amendment: AmendmentInput };
export type CancelOrder = OfOrder<'CancelOrder'> & { readonly reason: string };
export type ExpireOrder = OfOrder<'ExpireOrder'>;
export type BeginDispatch = OfOrder<'BeginDispatch'>;
export type RequestRefund = OfOrder<'RequestRefund'> & {
  readonly refundId: string;
  readonly paymentId: string;
  readonly amount: number;
  readonly reason: string;
};
export type RecordPaymentAuthorized = PaymentFact<'RecordPaymentAuthorized'>;
export type RecordPaymentCaptured = PaymentFact<'RecordPaymentCaptured'>;
export type RecordPaymentVoided = PaymentFact<'RecordPaymentVoided'>;
export type RecordPaymentRefunded = PaymentFact<'RecordPaymentRefunded'> & { readonly refundId: string | null };
export type RecordPaymentFailed = OfOrder<'RecordPaymentFailed'> & {
  readonly paymentId: string;
  readonly providerId: string;
  readonly code: string;
};
export type RecordRefundFailed = OfOrder<'RecordRefundFailed'> & {
  readonly paymentId: string;
  readonly refundId: string;
  readonly providerId: string;
  readonly code: string;
};
export type RecordPaymentOutcomeUnknown = OfOrder<'RecordPaymentOutcomeUnknown'> & {
  readonly paymentId: string;
  /** The effect key that was sent. */
  readonly providerId: string;
  readonly operation: 'authorize' | 'capture' | 'void' | 'refund';
};
export type RecordShipmentBooked = ShipmentFact<'RecordShipmentBooked'> & {
  readonly carrier: string;
  readonly trackingNumber: string | null;
  readonly lines: readonly { readonly lineId: string; readonly quantity: number }[];
};
export type RecordShipmentCancelled = ShipmentFact<'RecordShipmentCancelled'>;
export type RecordShipmentDispatched = ShipmentFact<'RecordShipmentDispatched'>;
export type RecordShipmentDelivered = ShipmentFact<'RecordShipmentDelivered'>;
export type RecordShipmentFailed = ShipmentFact<'RecordShipmentFailed'> & { readonly code: string };

/** Requests can be refused; facts never are: what happened, happened. */
export type OrderRequest =
  PlaceOrder | BackfillOrder | AmendOrder | CancelOrder | ExpireOrder | BeginDispatch | RequestRefund;
export type OrderFact =
  | RecordPaymentAuthorized
  | RecordPaymentCaptured
  | RecordPaymentVoided
  | RecordPaymentRefunded
  | RecordPaymentFailed
  | RecordRefundFailed
  | RecordPaymentOutcomeUnknown
  | RecordShipmentBooked
  | RecordShipmentCancelled
  | RecordShipmentDispatched
  | RecordShipmentDelivered
  | RecordShipmentFailed;
export type OrderCommand = OrderRequest | OrderFact;
/** What our own services ask of an order that is there. Those that begin one have doors of their own. */
export type OrderDoorCommand = Exclude<OrderCommand, PlaceOrder | BackfillOrder>;

type OfSku<Type extends string> = { readonly type: Type; readonly sku: string };
export type ReceiveStock = OfSku<'ReceiveStock'> & { readonly quantity: number };
export type AdjustStock = OfSku<'AdjustStock'> & { readonly delta: number; readonly reason: string };
export type ReserveStock = OfSku<'ReserveStock'> & { readonly orderId: OrderId; readonly quantity: number };
export type ReleaseStock = OfSku<'ReleaseStock'> & { readonly orderId: OrderId };
export type DeductStock = OfSku<'DeductStock'> & { readonly orderId: OrderId };
/** An amended order wants another quantity, or none (0); `orderVersion` is the order's after the amendment. */
export type ChangeReservation = OfSku<'ChangeReservation'> & {
  readonly orderId: OrderId;
  readonly quantity: number;
  readonly orderVersion: number;
};
export type StockCommand = ReceiveStock | AdjustStock | ReserveStock | ChangeReservation | ReleaseStock | DeductStock;
/** What a saga asks of the stock. */
export type ReservationCommand = Exclude<StockCommand, ReceiveStock | AdjustStock>;
