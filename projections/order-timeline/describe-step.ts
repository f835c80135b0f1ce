import { unreachable } from '../../schemas/decision.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import type { StepParts } from './timeline.ts';

export type StepInWords = StepParts & { readonly title: string };

/** What an event means to whoever waits for the parcel, and the parts of it that help. */
export function describeStep(event: OrderEvent): StepInWords {
  switch (event.type) {
    case 'OrderPlaced': {
      const { totals, currency, lines } = event.data;
      return { title: 'Order placed', amount: totals.total, currency, quantity: unitsOf(lines) };
    }
    case 'OrderAmended': {
      const { totals, currency, lines } = event.data;
      return { title: 'Order amended', amount: totals.total, currency, quantity: unitsOf(lines) };
    }
    case 'OrderCancelled':
      return { title: 'Order cancelled', reason: event.data.reason };
    case 'OrderExpired':
      return { title: 'Order expired', reason: event.data.reason };
    case 'DispatchBegun':
      return { title: 'Being handed to the carrier' };
    case 'PaymentAuthorized':
      return { title: 'Payment authorized', ...moneyOf(event.data) };
    case 'PaymentCaptured':
      return { title: 'Payment received', ...moneyOf(event.data) };
    case 'PaymentVoided':
      return { title: 'Payment hold released', ...moneyOf(event.data) };
    case 'PaymentFailed':
      return { title: 'Payment failed', paymentId: event.data.paymentId, code: event.data.code };
    case 'PaymentOutcomeUnknown':
      return { title: 'Waiting for the payment provider', paymentId: event.data.paymentId };
    case 'RefundRequested':
      return { title: 'Refund requested', ...refundOf(event.data), reason: event.data.reason };
    case 'PaymentRefunded':
      return { title: 'Refund paid', ...refundOf(event.data) };
    case 'RefundFailed': {
      const { paymentId, refundId, code } = event.data;
      return { title: 'Refund failed', paymentId, refundId, code };
    }
    case 'ShipmentBooked':
    case 'ShipmentCancelled':
    case 'ShipmentDispatched':
    case 'ShipmentDelivered':
    case 'ShipmentFailed':
      return describeShipment(event);
    default:
      return unreachable(event);
  }
}

function describeShipment(event: Extract<OrderEvent, { readonly type: `Shipment${string}` }>): StepInWords {
  const { shipmentId } = event.data;
  switch (event.type) {
    case 'ShipmentBooked': {
      const { carrier, trackingNumber, lines } = event.data;
      const tracked = trackingNumber === null ? {} : { trackingNumber };
      return { title: 'Shipment booked', shipmentId, carrier, ...tracked, quantity: unitsOf(lines) };
    }
    case 'ShipmentCancelled':
      return { title: 'Shipment cancelled', shipmentId };
    case 'ShipmentDispatched':
      return { title: 'Shipped', shipmentId, quantity: unitsOf(event.data.lines) };
    case 'ShipmentDelivered':
      return { title: 'Delivered', shipmentId };
    case 'ShipmentFailed':
      return { title: 'Delivery failed', shipmentId, code: event.data.code };
    default:
      return unreachable(event);
  }
}

type Money = { readonly paymentId: string; readonly amount: number; readonly currency: string };

function moneyOf({ paymentId, amount, currency }: Money): StepParts {
  return { paymentId, amount, currency };
}

function refundOf({ refundId, ...money }: Money & { readonly refundId: string | null }): StepParts {
  return { ...moneyOf(money), ...(refundId === null ? {} : { refundId }) };
}

function unitsOf(lines: readonly { readonly quantity: number }[]): number {
  return lines.reduce((units, { quantity }) => units + quantity, 0);
}
