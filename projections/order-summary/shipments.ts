import type { FulfillmentStatus, LineQuantity, SummaryShipment } from './summary.ts';

export type ShipmentStep = (shipment: SummaryShipment) => SummaryShipment;

/**
 * Changes one shipment. A fact about one that was never booked adds it, for facts are never refused; it then holds
 * `lines`, all of the order where the fact names none.
 */
export function changeShipment(
  shipments: readonly SummaryShipment[],
  { shipmentId, lines }: { readonly shipmentId: string; readonly lines: readonly LineQuantity[] },
  step: ShipmentStep,
): readonly SummaryShipment[] {
  const known = shipments.some((shipment) => shipment.shipmentId === shipmentId);
  const all = known ? shipments : [...shipments, unbooked(shipmentId, lines)];
  return all.map((shipment) => (shipment.shipmentId === shipmentId ? step(shipment) : shipment));
}

/** How far the goods are: by the quantities on their way against those ordered. */
export function fulfillmentStatus(
  lines: readonly LineQuantity[],
  shipments: readonly SummaryShipment[],
): FulfillmentStatus {
  const delivered = shipments.filter(({ status }) => status === 'delivered');
  if (delivered.length > 0 && covers(lines, delivered)) return 'delivered';
  const shipped = shipments.filter(({ status }) => status === 'dispatched' || status === 'delivered');
  if (shipped.length > 0) return covers(lines, shipped) ? 'shipped' : 'partially_shipped';
  if (shipments.some(({ status }) => status === 'booked')) return 'booked';
  return shipments.some(({ status }) => status === 'failed') ? 'failed' : 'unfulfilled';
}

function covers(lines: readonly LineQuantity[], shipments: readonly SummaryShipment[]): boolean {
  return lines.every(({ lineId, quantity }) => quantityOf(lineId, shipments) >= quantity);
}

function quantityOf(lineId: string, shipments: readonly SummaryShipment[]): number {
  const parts = shipments.flatMap(({ lines }) => lines).filter((line) => line.lineId === lineId);
  return parts.reduce((sum, { quantity }) => sum + quantity, 0);
}

function unbooked(shipmentId: string, lines: readonly LineQuantity[]): SummaryShipment {
  const nothingKnown = { carrier: null, trackingNumber: null, shippedAt: null, deliveredAt: null } as const;
  return { shipmentId, status: 'booked', lines, ...nothingKnown };
}
