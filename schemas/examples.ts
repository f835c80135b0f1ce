import type { AnyEvent } from './envelope.ts';
import type { OrderId } from './ids.ts';

/** Of tenant `default`, command `checkout-1` (docs/ids.md). */
export const exampleOrderId = 'b1230187-2359-5e53-908a-0ba472029fc7' as OrderId;

const orderId = exampleOrderId;
const paymentId = '4a77bf21-d5e1-5d5b-9447-60d71fb32425';
const shipmentId = 'cbaa580c-71c0-5db3-aa76-518ddc8b74a3';
const timerId = 'unpaid-expiry';
const effectKey = `${orderId}/authorize-payment/1`;
const money = { amount: 2000, currency: 'EUR' };
const captured = { orderId, paymentId, providerId: 'psp-1', ...money };
const shipment = { orderId, shipmentId, providerId: 'carrier-1' };
const stock = { sku: 'mug', orderId, quantity: 2 };
const step = { orderId, step: 'authorize-payment', direction: 'run', attempt: 1 } as const;

type ExampleOf<Type extends AnyEvent['type']> = Extract<AnyEvent, { readonly type: Type }>['data'];

/** One typed example of each event's data: a new event type does not compile until it has one. */
export const exampleData: { readonly [Type in AnyEvent['type']]: ExampleOf<Type> } = {
  OrderPlaced: {
    orderId,
    reference: 'A-1001',
    customerId: 'customer-1',
    currency: 'EUR',
    lines: [
      { lineId: '1', sku: 'mug', quantity: 2, unitPrice: 800, tax: 300, name: 'Mug' },
      { lineId: '2', sku: 'card', quantity: 1, unitPrice: 50, tax: 0, name: null },
    ],
    totals: { subtotal: 1650, discount: 50, shipping: 100, tax: 300, total: 2000 },
    payments: [{ paymentId, method: 'card', amount: 2000 }],
    metadata: { channel: 'web' },
    sealed: { keyId: 'key-1', box: 'AAECAwQFBgcICQoL' },
  },
  OrderAmended: {
    orderId,
    lines: [
      { lineId: '1', sku: 'mug', quantity: 3, unitPrice: 800, tax: 450, name: 'Mug' },
      { lineId: '3', sku: 'tea', quantity: 1, unitPrice: 450, tax: 0, name: null },
    ],
    totals: { subtotal: 2850, discount: 50, shipping: 100, tax: 450, total: 3350 },
    currency: 'EUR',
    previousTotal: 2000,
    payments: [{ paymentId, method: 'bank_slip', amount: 3350 }],
    sealed: { keyId: 'key-1', box: 'AAECAwQFBgcICQoL' },
  },
  OrderCancelled: { orderId, reason: 'changed my mind' },
  OrderExpired: { orderId, reason: 'payment_expired' },
  DispatchBegun: { orderId },
  PaymentAuthorized: captured,
  PaymentCaptured: captured,
  PaymentVoided: captured,
  PaymentFailed: { orderId, paymentId, providerId: effectKey, code: 'CARD_DECLINED' },
  PaymentOutcomeUnknown: { orderId, paymentId, providerId: effectKey, operation: 'authorize' },
  PaymentRefunded: { ...captured, refundId: null },
  RefundRequested: { orderId, refundId: 'refund-1', paymentId, ...money, reason: 'damaged' },
  RefundFailed: { orderId, paymentId, refundId: 'refund-1', providerId: 'psp-2', code: 'ACCOUNT_CLOSED' },
  ShipmentBooked: { ...shipment, carrier: 'post', trackingNumber: null, lines: [{ lineId: '1', quantity: 2 }] },
  ShipmentCancelled: shipment,
  ShipmentDispatched: { ...shipment, lines: [{ lineId: '1', quantity: 2 }] },
  ShipmentDelivered: shipment,
  ShipmentFailed: { ...shipment, code: 'ADDRESS_UNKNOWN' },
  StockReceived: { sku: 'mug', quantity: 100 },
  StockAdjusted: { sku: 'mug', delta: -1, reason: 'broken' },
  StockReserved: stock,
  StockReservationChanged: { sku: 'mug', orderId, quantity: 3, previousQuantity: 2, orderVersion: 2 },
  StockReleased: stock,
  StockDeducted: stock,
  FulfillmentStarted: {
    orderId,
    customerId: 'customer-1',
    currency: 'EUR',
    total: 2000,
    lines: [{ lineId: '1', sku: 'mug', quantity: 2 }],
    payments: [{ paymentId, method: 'card', amount: 2000 }],
  },
  StepAttempted: { ...step, effectKey },
  StepSucceeded: { ...step, result: { authorizationId: 'psp-1' } },
  StepFailed: { ...step, code: 'CARD_DECLINED', final: true },
  CompensationBegun: { orderId, reason: 'payment_failed' },
  FulfillmentCompensated: { orderId, reason: 'payment_failed' },
  FulfillmentCompleted: { orderId },
  FulfillmentQuarantined: { orderId, step: 'book-shipment', code: 'INTERNAL', detail: 'attempts used up' },
  OrderAmendmentNoted: {
    orderId,
    orderVersion: 2,
    total: 3350,
    lines: [{ lineId: '1', sku: 'mug', quantity: 3 }],
    payments: [{ paymentId, method: 'bank_slip', amount: 3350 }],
  },
  OrderSignalNoted: { orderId, signal: 'cancelled' },
  TimerScheduled: { orderId, timerId, kind: 'unpaid-expiry', delayMs: 900_000 },
  TimerCancelled: { orderId, timerId },
  TimerFired: { orderId, timerId, kind: 'unpaid-expiry' },
};
