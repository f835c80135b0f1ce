import type { OrderFact, OrderInput, PlaceOrder } from '../../schemas/commands.ts';
import { exampleOrderId } from '../../schemas/examples.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { derivedId } from '../../schemas/ids.ts';
import { scenariosOf } from '../../test/given.ts';
import { orderDecider } from './order-decider.ts';

/** Inputs of the order's tests: an order of two lines, 2,000 cents in all, paid by one card. */
export const { given } = scenariosOf(orderDecider);

export const orderId = exampleOrderId;
export const paymentId = derivedId(orderId, 'payment/1');
export const secondPaymentId = derivedId(orderId, 'payment/2');
export const shipmentId = derivedId(orderId, 'shipment/1');
export const currency = 'EUR';

export const orderInput: OrderInput = {
  customerId: 'customer-1',
  currency,
  lines: [
    { sku: 'mug', quantity: 2, unitPrice: 800, tax: 300, name: 'Mug' },
    { sku: 'card', quantity: 1, unitPrice: 50 },
  ],
  shippingFee: 100,
  discount: 50,
  payments: [{ method: 'card' }],
};

export function placeOrder(changes: Partial<OrderInput> = {}): PlaceOrder {
  return { type: 'PlaceOrder', orderId, tenantId: 'default', order: { ...orderInput, ...changes } };
}

export const orderLines = [
  { lineId: '1', quantity: 2 },
  { lineId: '2', quantity: 1 },
];

export const placed: OrderEvent = {
  type: 'OrderPlaced',
  data: {
    orderId,
    reference: null,
    customerId: 'customer-1',
    currency,
    lines: [
      { lineId: '1', sku: 'mug', quantity: 2, unitPrice: 800, tax: 300, name: 'Mug' },
      { lineId: '2', sku: 'card', quantity: 1, unitPrice: 50, tax: 0, name: null },
    ],
    totals: { subtotal: 1650, discount: 50, shipping: 100, tax: 300, total: 2000 },
    payments: [{ paymentId, method: 'card', amount: 2000 }],
    metadata: {},
    sealed: null,
  },
};
export const cancelled: OrderEvent = { type: 'OrderCancelled', data: { orderId, reason: 'changed my mind' } };
export const expired: OrderEvent = { type: 'OrderExpired', data: { orderId, reason: 'payment_expired' } };
export const dispatchBegun: OrderEvent = { type: 'DispatchBegun', data: { orderId } };

type MoneyEvent = Extract<
  OrderEvent,
  { readonly type: 'PaymentAuthorized' | 'PaymentCaptured' | 'PaymentVoided' }
>['type'];

export function moneyEvent(type: MoneyEvent, amount = 2000, providerId = `${type}-1`): OrderEvent {
  return { type, data: { orderId, paymentId, providerId, amount, currency } };
}

export function refunded(amount: number, refundId: string | null = null, providerId = 'refund-fact-1'): OrderEvent {
  return { type: 'PaymentRefunded', data: { orderId, paymentId, refundId, providerId, amount, currency } };
}

export const authorized = moneyEvent('PaymentAuthorized');
export const captured = moneyEvent('PaymentCaptured');
export const shipment = { orderId, shipmentId, providerId: 'carrier-1' };
export const booked: OrderEvent = {
  type: 'ShipmentBooked',
  data: { ...shipment, carrier: 'post', trackingNumber: 'T-1', lines: [{ lineId: '1', quantity: 2 }] },
};
export const dispatched: OrderEvent = { type: 'ShipmentDispatched', data: { ...shipment, lines: orderLines } };
export const delivered: OrderEvent = { type: 'ShipmentDelivered', data: shipment };

const payment = { orderId, paymentId, providerId: 'provider-1' };
const money = { ...payment, amount: 2000, currency };

/** One of each fact. */
export const facts: { readonly [Type in OrderFact['type']]: Extract<OrderFact, { readonly type: Type }> } = {
  RecordPaymentAuthorized: { type: 'RecordPaymentAuthorized', ...money },
  RecordPaymentCaptured: { type: 'RecordPaymentCaptured', ...money },
  RecordPaymentVoided: { type: 'RecordPaymentVoided', ...money },
  RecordPaymentRefunded: { type: 'RecordPaymentRefunded', ...money, refundId: null },
  RecordPaymentFailed: { type: 'RecordPaymentFailed', ...payment, code: 'CARD_DECLINED' },
  RecordRefundFailed: { type: 'RecordRefundFailed', ...payment, refundId: 'refund-1', code: 'ACCOUNT_CLOSED' },
  RecordPaymentOutcomeUnknown: { type: 'RecordPaymentOutcomeUnknown', ...payment, operation: 'capture' },
  RecordShipmentBooked: {
    type: 'RecordShipmentBooked',
    ...shipment,
    carrier: 'post',
    trackingNumber: 'T-1',
    lines: [{ lineId: '1', quantity: 2 }],
  },
  RecordShipmentCancelled: { type: 'RecordShipmentCancelled', ...shipment },
  RecordShipmentDispatched: { type: 'RecordShipmentDispatched', ...shipment },
  RecordShipmentDelivered: { type: 'RecordShipmentDelivered', ...shipment },
  RecordShipmentFailed: { type: 'RecordShipmentFailed', ...shipment, code: 'ADDRESS_UNKNOWN' },
};
