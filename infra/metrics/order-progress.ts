import type { OrderEvent } from '../../schemas/generated/events.ts';
import type { Recorded } from '../../schemas/envelope.ts';

export type OrderStatus = 'placed' | 'paid' | 'shipped' | 'delivered' | 'cancelled';

/** What metrics need to know of an order between two of its events: no names, no amounts of a customer, only sums. */
export type OrderProgress = {
  readonly status: OrderStatus;
  /** When the status began, ms. */
  readonly sinceMs: number;
  readonly placedMs: number;
  readonly paidMs: number | null;
  readonly dueMinor: number;
  readonly unitsToShip: number;
  readonly unitsToDeliver: number;
  readonly dispatched: ReadonlyMap<string, number>;
};

/** The order after one more event; null for an order whose beginning is not known. */
export function advance(before: OrderProgress | null, event: Recorded<OrderEvent>): OrderProgress | null {
  const atMs = Date.parse(event.occurredAt ?? event.recordedAt);
  if (event.type === 'OrderPlaced') return placed(event, atMs);
  if (before === null) return null;
  switch (event.type) {
    case 'OrderAmended': {
      const { lines, totals, previousTotal } = event.data;
      const units = unitsOf(lines);
      const dueMinor = before.dueMinor + totals.total - previousTotal;
      return { ...before, dueMinor, unitsToShip: units, unitsToDeliver: units };
    }
    case 'PaymentCaptured': {
      const dueMinor = before.dueMinor - event.data.amount;
      const paid = dueMinor <= 0 && before.status === 'placed';
      return paid ? { ...enter(before, 'paid', atMs), paidMs: atMs, dueMinor } : { ...before, dueMinor };
    }
    case 'ShipmentDispatched': {
      const units = unitsOf(event.data.lines);
      const dispatched = new Map(before.dispatched).set(event.data.shipmentId, units);
      const after = { ...before, dispatched, unitsToShip: before.unitsToShip - units };
      return after.unitsToShip <= 0 && isOpen(before.status) ? enter(after, 'shipped', atMs) : after;
    }
    case 'ShipmentDelivered': {
      const units = before.dispatched.get(event.data.shipmentId) ?? 0;
      const after = { ...before, unitsToDeliver: before.unitsToDeliver - units };
      return after.unitsToDeliver <= 0 && before.status === 'shipped' ? enter(after, 'delivered', atMs) : after;
    }
    case 'OrderCancelled':
    case 'OrderExpired':
      return before.status === 'cancelled' ? before : enter(before, 'cancelled', atMs);
    default:
      return before;
  }
}

function placed(event: Recorded<OrderEvent> & { readonly type: 'OrderPlaced' }, atMs: number): OrderProgress {
  const units = unitsOf(event.data.lines);
  return {
    status: 'placed',
    sinceMs: atMs,
    placedMs: atMs,
    paidMs: null,
    dueMinor: event.data.totals.total,
    unitsToShip: units,
    unitsToDeliver: units,
    dispatched: new Map(),
  };
}

function unitsOf(lines: readonly { readonly quantity: number }[]): number {
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}

function isOpen(status: OrderStatus): boolean {
  return status === 'placed' || status === 'paid';
}

function enter(order: OrderProgress, status: OrderStatus, sinceMs: number): OrderProgress {
  return { ...order, status, sinceMs };
}
