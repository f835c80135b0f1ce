import type {
  RecordShipmentBooked,
  RecordShipmentCancelled,
  RecordShipmentDelivered,
  RecordShipmentDispatched,
  RecordShipmentFailed,
} from '../../schemas/commands.ts';
import { accept, reject, unreachable, type Decision } from '../../schemas/decision.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { isIsoTime } from '../../schemas/iso-time.ts';
import type { OrderState, PlacedOrder } from './order.ts';
import { isKnownShipmentFact, linesWithoutShipment, type LineQuantity, type ShipmentEvent } from './shipment.ts';

export type ShipmentFactCommand =
  | RecordShipmentBooked
  | RecordShipmentCancelled
  | RecordShipmentDispatched
  | RecordShipmentDelivered
  | RecordShipmentFailed;

/**
 * Records what the carrier says, in any state of the order. A fact known under (kind, shipment, providerId) adds nothing.
 * Rejects with ORDER_NOT_FOUND, and with INVALID_VALUE what cannot be a fact.
 */
export function recordShipmentFact(command: ShipmentFactCommand, state: OrderState): Decision<OrderEvent> {
  if (state.status === 'Unplaced') return reject('ORDER_NOT_FOUND', command.orderId);
  const event = eventOf(command, state);
  if (isKnownShipmentFact(state.shipments, event)) return accept();
  const { occurredAt } = command;
  if (occurredAt === undefined) return accept(event);
  if (!isIsoTime(occurredAt)) return reject('INVALID_VALUE', '/occurredAt: an RFC 3339 time');
  return accept({ event, occurredAt });
}

function eventOf(command: ShipmentFactCommand, order: PlacedOrder): ShipmentEvent {
  const { orderId, shipmentId, providerId } = command;
  const of = { orderId, shipmentId, providerId };
  switch (command.type) {
    case 'RecordShipmentBooked': {
      const { carrier, trackingNumber, lines } = command;
      return { type: 'ShipmentBooked', data: { ...of, carrier, trackingNumber, lines } };
    }
    case 'RecordShipmentCancelled':
      return { type: 'ShipmentCancelled', data: of };
    case 'RecordShipmentDispatched':
      return { type: 'ShipmentDispatched', data: { ...of, lines: dispatchedLines(shipmentId, order) } };
    case 'RecordShipmentDelivered':
      return { type: 'ShipmentDelivered', data: of };
    case 'RecordShipmentFailed':
      return { type: 'ShipmentFailed', data: { ...of, code: command.code } };
    default:
      return unreachable(command);
  }
}

/** The booking's. The carrier's word may overtake our record of the booking: then all that no other shipment holds. */
function dispatchedLines(shipmentId: string, order: PlacedOrder): readonly LineQuantity[] {
  const booked = order.shipments.find((shipment) => shipment.shipmentId === shipmentId);
  return booked !== undefined && booked.lines.length > 0
    ? booked.lines
    : linesWithoutShipment(order.lines, order.shipments);
}
