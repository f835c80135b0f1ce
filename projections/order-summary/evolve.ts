import { unreachable } from '../../schemas/decision.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import type { OrderAmendedData, OrderEvent } from '../../schemas/generated/events.ts';
import {
  authorize,
  capture,
  changePayment,
  end,
  paymentStatus,
  refund,
  settled,
  total,
  type Money,
  type PaymentStep,
} from './payments.ts';
import { changeShipment, fulfillmentStatus, type ShipmentStep } from './shipments.ts';
import type { LineQuantity, OrderStatus, OrderSummary, SummaryRefund } from './summary.ts';

/** The summary after one more event: total, for history already happened. */
export function evolveSummary(current: OrderSummary, event: Recorded<OrderEvent>): OrderSummary {
  const changed = change(current, event);
  const next = { ...changed, updatedAt: event.recordedAt, version: event.revision + 1 };
  return { ...next, status: orderStatus(next) };
}

function change(current: OrderSummary, event: Recorded<OrderEvent>): OrderSummary {
  switch (event.type) {
    case 'OrderPlaced':
    case 'DispatchBegun':
      return current;
    case 'OrderAmended':
      return amended(current, event.data);
    case 'OrderCancelled':
    case 'OrderExpired':
      return { ...current, cancelReason: current.cancelReason ?? event.data.reason };
    case 'PaymentAuthorized':
      return pay(current, event.data.paymentId, authorize(event.data.amount));
    case 'PaymentCaptured':
      return pay(current, event.data.paymentId, capture(event.data.amount));
    case 'PaymentFailed':
      return pay(current, event.data.paymentId, end('failed'));
    case 'PaymentVoided':
      return pay(current, event.data.paymentId, end('voided'));
    case 'PaymentOutcomeUnknown':
      return pay(current, event.data.paymentId, (payment) => ({ ...payment, status: 'unknown' }));
    case 'RefundRequested':
      return withMoney(current, requestRefund(current.payment, event.data));
    case 'PaymentRefunded':
      return pay(endRefund(current, event.data.refundId, 'refunded'), event.data.paymentId, refund(event.data.amount));
    case 'RefundFailed':
      return pay(endRefund(current, event.data.refundId, 'failed'), event.data.paymentId, settled);
    default:
      return changeGoods(current, event);
  }
}

function amended(current: OrderSummary, { lines, totals, payments }: OrderAmendedData): OrderSummary {
  const planned = new Map(payments.map(({ paymentId, amount }) => [paymentId, amount]));
  const items = current.payment.items.map((item) => ({ ...item, amount: planned.get(item.paymentId) ?? item.amount }));
  return { ...current, lines, totals, payment: { ...current.payment, items } };
}

type GoodsEvent = Extract<Recorded<OrderEvent>, { readonly type: `Shipment${string}` }>;

function changeGoods(current: OrderSummary, event: GoodsEvent): OrderSummary {
  switch (event.type) {
    case 'ShipmentBooked': {
      const { carrier, trackingNumber, lines } = event.data;
      return ship(current, event.data, (shipment) => ({ ...shipment, carrier, trackingNumber, lines }));
    }
    case 'ShipmentCancelled':
      return ship(current, event.data, (shipment) => ({ ...shipment, status: 'cancelled' }));
    case 'ShipmentFailed':
      return ship(current, event.data, (shipment) => ({ ...shipment, status: 'failed' }));
    case 'ShipmentDispatched':
      return ship(current, event.data, (shipment) => ({
        ...shipment,
        // A late notice of dispatch does not take a delivery back.
        status: shipment.status === 'delivered' ? 'delivered' : 'dispatched',
        lines: event.data.lines,
        shippedAt: event.occurredAt,
      }));
    case 'ShipmentDelivered':
      return ship(current, event.data, (shipment) => ({
        ...shipment,
        status: 'delivered',
        deliveredAt: event.occurredAt,
      }));
    default:
      return unreachable(event);
  }
}

function pay(current: OrderSummary, paymentId: string, step: PaymentStep): OrderSummary {
  return withMoney(current, changePayment(current.payment, paymentId, step));
}

function withMoney(current: OrderSummary, { items, refunds }: Money): OrderSummary {
  const pending = refunds.filter(({ status }) => status === 'pending');
  return {
    ...current,
    payment: {
      status: paymentStatus(items),
      authorized: total(items, 'authorized'),
      captured: total(items, 'captured'),
      refunded: total(items, 'refunded'),
      refundPending: pending.reduce((sum, { amount }) => sum + amount, 0),
      items,
      refunds,
    },
  };
}

function requestRefund(money: Money, request: Omit<SummaryRefund, 'status'>): Money {
  const { refundId, paymentId, amount } = request;
  const others = money.refunds.filter((known) => known.refundId !== refundId);
  return { ...money, refunds: [...others, { refundId, paymentId, amount, status: 'pending' }] };
}

function endRefund(current: OrderSummary, refundId: string | null, status: 'refunded' | 'failed'): OrderSummary {
  const { payment } = current;
  const refunds = payment.refunds.map((known) => (known.refundId === refundId ? { ...known, status } : known));
  return withMoney(current, { items: payment.items, refunds });
}

type ShipmentData = { readonly shipmentId: string; readonly lines?: readonly LineQuantity[] };

function ship(current: OrderSummary, { shipmentId, lines }: ShipmentData, step: ShipmentStep): OrderSummary {
  const ordered = current.lines.map(({ lineId, quantity }) => ({ lineId, quantity }));
  const shipments = changeShipment(current.fulfillment.shipments, { shipmentId, lines: lines ?? ordered }, step);
  const status = fulfillmentStatus(ordered, shipments);
  return { ...current, fulfillment: { ...current.fulfillment, status, shipments } };
}

/** The order in one word: the furthest that it went; cancelled stays cancelled. */
export function orderStatus(summary: Omit<OrderSummary, 'status'>): OrderStatus {
  if (summary.cancelReason !== null) return 'cancelled';
  const { status } = summary.fulfillment;
  if (status === 'delivered' || status === 'shipped') return status;
  return isPaid(summary) ? 'paid' : 'placed';
}

/**
 * Whether the captures cover the total. History is kept as it is, so a backfilled order may have paid less than its
 * lines add up to, or have no lines: there, the captures of all its payments are enough, and none is not.
 */
function isPaid({ origin, payment, totals }: Omit<OrderSummary, 'status'>): boolean {
  if (origin === 'live') return payment.captured >= totals.total;
  const planned = payment.items.reduce((sum, { amount }) => sum + amount, 0);
  const isTaken = payment.items.some(({ captured, status }) => captured > 0 || status === 'captured');
  return isTaken && payment.captured >= Math.min(planned, totals.total);
}
