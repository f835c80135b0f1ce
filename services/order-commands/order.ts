import { unreachable } from '../../schemas/decision.ts';
import type { OrderEvent, OrderPlacedData } from '../../schemas/generated/events.ts';
import { evolvePayments, moneyOf, pendingPayment, replannedPayments, type Payment } from './payment.ts';
import type { OrderLine, Totals } from './pricing.ts';
import { evolveShipments, hasLeft, type Shipment } from './shipment.ts';

/** What the order decides on: nothing personal, which its events keep sealed. */
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
  /** Whose personal data an amendment seals. */
  readonly customerId: string;
  readonly totals: Totals;
  readonly lines: readonly OrderLine[];
  /** The greatest number that a line ever had: ids of lines are never used again. */
  readonly lineIdsGiven: number;
  readonly payments: readonly Payment[];
  readonly shipments: readonly Shipment[];
};

export const unplaced: OrderState = { status: 'Unplaced' };

/** Total and silent: what cannot follow on a state leaves it as it is. */
export function evolve(state: OrderState, event: OrderEvent): OrderState {
  if (event.type === 'OrderPlaced') return state.status === 'Unplaced' ? placed(event.data) : state;
  if (state.status === 'Unplaced') return state;
  switch (event.type) {
    case 'OrderAmended': {
      const { lines, totals, payments } = event.data;
      const lineIdsGiven = greatestLineId(lines, state.lineIdsGiven);
      return { ...state, lines, totals, lineIdsGiven, payments: replannedPayments(state.payments, payments) };
    }
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
  return capturedOf(order) >= order.totals.total;
}

export function capturedOf(order: PlacedOrder): number {
  return order.payments.reduce((captured, payment) => captured + moneyOf(payment).captured, 0);
}

/** Whether anything of it left the building. */
export function isShipped(order: PlacedOrder): boolean {
  return order.shipments.some(hasLeft);
}

/** In words, for who is told that it is too late. */
export function whereParcelsAre(order: PlacedOrder): string {
  const gone = order.shipments.find(hasLeft);
  return gone === undefined ? 'the parcel is being handed over' : `shipment ${gone.shipmentId} left the building`;
}

function isEnded(order: PlacedOrder): boolean {
  return order.status === 'Cancelled' || order.status === 'Expired';
}

function greatestLineId(lines: readonly OrderLine[], before: number): number {
  return lines.reduce((greatest, { lineId }) => Math.max(greatest, Number(lineId) || 0), before);
}

function placed({ orderId, currency, customerId, totals, lines, payments }: OrderPlacedData): OrderState {
  return {
    status: 'Open',
    orderId,
    currency,
    customerId,
    totals,
    lines,
    lineIdsGiven: greatestLineId(lines, 0),
    payments: payments.map(pendingPayment),
    shipments: [],
  };
}
