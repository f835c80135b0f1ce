import { randomUUID } from 'node:crypto';
import type { AskDelivery, BookShipment, CancelBooking, DeliveryResult, DispatchShipment } from './port.ts';

/** One effect of a carrier, as its ledger keeps it. There is no address in it. */
export type ShipmentEntry = {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly op: ShipmentOperation['op'];
  readonly key: string;
  readonly orderId: string;
  readonly shipmentId: string;
  /** A tombstone is a cancellation of a booking that the carrier never saw. */
  readonly result: 'booked' | 'cancelled' | 'tombstone' | 'dispatched' | `refused:${string}`;
  /** The booking's id: its own on `book`, the target's on the others. */
  readonly providerId?: string;
  readonly effectKey?: string;
};

export type ShipmentOperation =
  | ({ readonly op: 'book' } & BookShipment)
  | ({ readonly op: 'cancelBooking' } & CancelBooking)
  | ({ readonly op: 'dispatch' } & DispatchShipment);

/** What a carrier knows, folded from its entries. */
export type ShipmentBook = {
  readonly runs: Map<string, ShipmentEntry>;
  readonly tombstones: Set<string>;
  readonly bookings: Map<string, Booking>;
};

type Booking = { readonly orderId: string; cancelled: boolean; dispatchedAt?: string };

export function noShipments(): ShipmentBook {
  return { runs: new Map(), tombstones: new Set(), bookings: new Map() };
}

/** Decides one operation: no dispatch after a cancellation, no cancellation after dispatch, nothing under a tombstone. */
export function decideShipment(book: ShipmentBook, operation: ShipmentOperation, at: Date): ShipmentEntry {
  if (book.tombstones.has(operation.key)) return refused(operation, 'TOMBSTONED', at);
  switch (operation.op) {
    case 'book':
      return { ...entryOf(operation, at), result: 'booked', providerId: `booking_${randomUUID()}` };
    case 'cancelBooking':
      return decideCancellation(book, operation, at);
    case 'dispatch':
      return decideDispatch(book, operation, at);
  }
}

/** Folds an entry into the book. History happened: nothing is checked here. */
export function applyShipment(book: ShipmentBook, entry: ShipmentEntry): void {
  book.runs.set(entry.key, entry);
  if (entry.result === 'tombstone' && entry.effectKey) book.tombstones.add(entry.effectKey);
  if (!entry.providerId) return;
  if (entry.result === 'booked') {
    book.bookings.set(entry.providerId, { orderId: entry.orderId, cancelled: false });
    return;
  }
  const booking = book.bookings.get(entry.providerId);
  if (!booking) return;
  if (entry.result === 'cancelled') booking.cancelled = true;
  if (entry.result === 'dispatched') booking.dispatchedAt ??= entry.at;
}

/** Where a parcel is at a time, when the way takes `deliveryMs`. */
export function deliveryOf(
  book: ShipmentBook,
  request: AskDelivery,
  way: { now: Date; deliveryMs: number },
): DeliveryResult {
  const dispatchedAt = bookingOf(book, request)?.dispatchedAt;
  if (dispatchedAt === undefined) return { outcome: 'failed', code: 'NOT_DISPATCHED' };
  const due = new Date(Date.parse(dispatchedAt) + way.deliveryMs);
  return due <= way.now ? { outcome: 'delivered', at: due.toISOString() } : { outcome: 'in-transit' };
}

/** The refusal of an operation, whatever the book says. */
export function refused(operation: ShipmentOperation, code: string, at: Date): ShipmentEntry {
  return { ...entryOf(operation, at), result: `refused:${code}` };
}

/** Whether an entry came from this very request; lines and address are not compared, for no entry keeps them. */
export function isSameShipment(entry: ShipmentEntry, operation: ShipmentOperation): boolean {
  const { op, orderId, shipmentId } = operation;
  const isSameTarget =
    (operation.op !== 'cancelBooking' || operation.effectKey === entry.effectKey) &&
    (operation.op !== 'dispatch' || operation.providerId === entry.providerId);
  return entry.op === op && entry.orderId === orderId && entry.shipmentId === shipmentId && isSameTarget;
}

function decideCancellation(book: ShipmentBook, operation: OperationOf<'cancelBooking'>, at: Date): ShipmentEntry {
  const run = book.runs.get(operation.effectKey);
  if (!run) return { ...entryOf(operation, at), result: 'tombstone' };
  const cancelled: ShipmentEntry = { ...entryOf(operation, at), result: 'cancelled' };
  if (!run.providerId) return cancelled;
  if (book.bookings.get(run.providerId)?.dispatchedAt) return refused(operation, 'ALREADY_DISPATCHED', at);
  return { ...cancelled, providerId: run.providerId };
}

function decideDispatch(book: ShipmentBook, operation: OperationOf<'dispatch'>, at: Date): ShipmentEntry {
  const booking = bookingOf(book, operation);
  if (!booking) return refused(operation, 'BOOKING_NOT_FOUND', at);
  if (booking.cancelled) return refused(operation, 'BOOKING_CANCELLED', at);
  // A second dispatch under another key is the same handing-over: the parcel left when it left.
  return { ...entryOf(operation, booking.dispatchedAt ? new Date(booking.dispatchedAt) : at), result: 'dispatched' };
}

type OperationOf<Op extends ShipmentOperation['op']> = Extract<ShipmentOperation, { readonly op: Op }>;

function bookingOf(book: ShipmentBook, { providerId, orderId }: Omit<AskDelivery, 'shipmentId'>): Booking | undefined {
  const booking = book.bookings.get(providerId);
  return booking?.orderId === orderId ? booking : undefined;
}

function entryOf(operation: ShipmentOperation, at: Date): Omit<ShipmentEntry, 'result'> {
  const { op, key, orderId, shipmentId } = operation;
  return {
    at: at.toISOString(),
    op,
    key,
    orderId,
    shipmentId,
    ...(operation.op === 'dispatch' ? { providerId: operation.providerId } : {}),
    ...(operation.op === 'cancelBooking' ? { effectKey: operation.effectKey } : {}),
  };
}
