import { unreachable } from '../../schemas/decision.ts';
import type { OrderEvent, OrderPlacedData } from '../../schemas/generated/events.ts';
import { evolvePayments, moneyOf, pendingPayment, type Payment } from './payment.ts';
import { evolveShipments, hasLeft, type LineQuantity, type Shipment } from './shipment.ts';

/** What the order decides on: no prices, names or addresses, which its events keep. */
export type OrderState =
  | { readonly status: 'Unplaced' }
  | (Placed & { readonly status: 'Open' })
  /** The point of no return is behind it: it can no longer be cancelled. */
  | (Placed & { readonly status: 'Dispatching' })
  | (Placed & { readonly status: 'Cancelled' | 'Expired' });

export type PlacedOrder = Exclude<OrderState, { readonly status: 'Unplaced' }>;

type Placed = {
  readonly orderId: string;
  /** ISO 4217, of every amount below. */
  readonly currency: string;
  readonly total: number;
  readonly lines: readonly LineQuantity[];
  readonly payments: readonly Payment[];
  readonly shipments: readonly Shipment[];
};

export const unplaced: OrderState = { status: 'Unplaced' };

/** Total and silent: what cannot follow on a state leaves it as it is. */
export function evolve(state: OrderState, event: OrderEvent): OrderState {
  if (event.type === 'OrderPlaced') return state.status === 'Unplaced' ? placed(event.data) : state;
  if (state.status === 'Unplaced') return state;
  switch (event.type) {
    case 'OrderCancelled':
      return isEnded(state) ? state : { ...state, status: 'Cancelled' };
    case 'OrderExpired':
      return isEnded(state) ? state : { ...state, status: 'Expired' };
    case 'DispatchBegun':
      return isEnded(state) ? state : { ...state, status: 'Dispatching' };
    case 'PaymentAuthorized':
    case 'PaymentCaptured':
    case 'PaymentVoided':
    case 'PaymentFailed':
    case 'PaymentOutcomeUnknown':
    case 'PaymentRefunded':
    case 'RefundRequested':
    case 'RefundFailed':
      return { ...state, payments: evolvePayments(state.payments, event) };
    case 'ShipmentBooked':
    case 'ShipmentCancelled':
    case 'ShipmentDispatched':
    case 'ShipmentDelivered':
    case 'ShipmentFailed':
      return { ...state, shipments: evolveShipments(state.shipments, event) };
    default:
      return unreachable(event);
  }
}

/** Whether what was captured covers the total; a refund does not make an order unpaid. */
export function isPaid(order: PlacedOrder): boolean {
  return order.payments.reduce((captured, payment) => captured + moneyOf(payment).captured, 0) >= order.total;
}

/** Whether anything of it left the building. */
export function isShipped(order: PlacedOrder): boolean {
  return order.shipments.some(hasLeft);
}

function isEnded(order: PlacedOrder): boolean {
  return order.status === 'Cancelled' || order.status === 'Expired';
}

function placed({ orderId, currency, totals, lines, payments }: OrderPlacedData): OrderState {
  return {
    status: 'Open',
    orderId,
    currency,
    total: totals.total,
    lines: lines.map(({ lineId, quantity }) => ({ lineId, quantity })),
    payments: payments.map(pendingPayment),
    shipments: [],
  };
}
