import { unreachable } from '../../schemas/decision.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';

export type LineQuantity = { readonly lineId: string; readonly quantity: number };

/** One shipment of an order: a small machine of its own, so that an order may leave in several. */
export type Shipment = {
  readonly shipmentId: string;
  readonly lines: readonly LineQuantity[];
  /** (kind, providerId) of each fact folded: what makes a repeat a repeat. Only ids, never more than facts. */
  readonly facts: readonly string[];
} & (
  | { readonly status: 'Booked' | 'Cancelled' | 'Dispatched' | 'Delivered' }
  | { readonly status: 'Failed'; readonly dispatched: boolean }
);

export type ShipmentEvent = Extract<
  OrderEvent,
  {
    readonly type:
      'ShipmentBooked' | 'ShipmentCancelled' | 'ShipmentDispatched' | 'ShipmentDelivered' | 'ShipmentFailed';
  }
>;

/** A shipment comes to be with the first fact that names it, whichever that is. */
export function evolveShipments(shipments: readonly Shipment[], event: ShipmentEvent): readonly Shipment[] {
  const { shipmentId } = event.data;
  const index = shipments.findIndex((shipment) => shipment.shipmentId === shipmentId);
  const before = shipments[index] ?? { shipmentId, lines: [], facts: [], status: 'Booked' };
  const after = { ...evolveShipment(before, event), facts: [...before.facts, factOf(event)] };
  return index < 0 ? [...shipments, after] : shipments.with(index, after);
}

/** Whether this fact was folded before, whatever command brought it. */
export function isKnownShipmentFact(shipments: readonly Shipment[], event: ShipmentEvent): boolean {
  const shipment = shipments.find(({ shipmentId }) => shipmentId === event.data.shipmentId);
  return shipment?.facts.includes(factOf(event)) ?? false;
}

/** Whether the carrier took it, wherever it is now. */
export function hasLeft(shipment: Shipment): boolean {
  switch (shipment.status) {
    case 'Booked':
    case 'Cancelled':
      return false;
    case 'Dispatched':
    case 'Delivered':
      return true;
    case 'Failed':
      return shipment.dispatched;
  }
}

/** What no booked or dispatched shipment holds. */
export function linesWithoutShipment(
  lines: readonly LineQuantity[],
  shipments: readonly Shipment[],
): readonly LineQuantity[] {
  const taken = new Map<string, number>();
  for (const shipment of shipments) {
    if (shipment.status === 'Cancelled') continue;
    for (const { lineId, quantity } of shipment.lines) taken.set(lineId, (taken.get(lineId) ?? 0) + quantity);
  }
  return lines
    .map(({ lineId, quantity }) => ({ lineId, quantity: quantity - (taken.get(lineId) ?? 0) }))
    .filter(({ quantity }) => quantity > 0);
}

/** Webhooks overtake each other: a late fact adds its lines and never turns a shipment back. */
function evolveShipment(shipment: Shipment, event: ShipmentEvent): Shipment {
  const { shipmentId, facts } = shipment;
  const left = hasLeft(shipment);
  switch (event.type) {
    case 'ShipmentBooked':
      return left ? { ...shipment, lines: event.data.lines } : { ...base(event.data.lines), status: 'Booked' };
    case 'ShipmentCancelled':
      return left ? shipment : { ...base(shipment.lines), status: 'Cancelled' };
    case 'ShipmentDispatched':
      return left ? { ...shipment, lines: event.data.lines } : { ...base(event.data.lines), status: 'Dispatched' };
    case 'ShipmentDelivered':
      return { ...base(shipment.lines), status: 'Delivered' };
    case 'ShipmentFailed':
      return shipment.status === 'Delivered'
        ? shipment
        : { ...base(shipment.lines), status: 'Failed', dispatched: left };
    default:
      return unreachable(event);
  }

  function base(lines: readonly LineQuantity[]) {
    return { shipmentId, facts, lines };
  }
}

function factOf(event: ShipmentEvent): string {
  return `${event.type} ${event.data.providerId}`;
}
