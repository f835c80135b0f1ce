import { openFirstAnswers } from '../resilience/first-answers.ts';
import {
  applyShipment,
  decideShipment,
  deliveryOf,
  isSameShipment,
  noShipments,
  refused,
  type ShipmentEntry,
  type ShipmentOperation,
} from './carrier.ts';
import type {
  AskDelivery,
  BookingResult,
  CancellationResult,
  DispatchResult,
  Logistics,
  LogisticsResult,
} from './port.ts';

export type MemoryLogisticsOptions = {
  readonly now?: () => Date;
  /** From dispatch to delivery. */
  readonly deliveryMs?: number;
  /** The code to refuse a new operation with, or to fail a delivery with, if any. */
  readonly refuse?: (operation: ShipmentOperation | DeliveryQuestion) => string | undefined;
  /** Entries of an earlier life, oldest first. */
  readonly entries?: Iterable<ShipmentEntry>;
  /** Makes an entry durable before its answer is told; absent: memory is all there is. */
  readonly record?: (entry: ShipmentEntry) => Promise<void>;
};

type DeliveryQuestion = { readonly op: 'delivery' } & AskDelivery;

/** A carrier in memory with all promises of the port. With `entries` and `record` it is the simulator's heart. */
export function memoryLogistics(options: MemoryLogisticsOptions = {}): Logistics {
  const { now = () => new Date(), deliveryMs = 0, refuse = () => undefined } = options;
  const book = noShipments();
  const answers = openFirstAnswers<ShipmentEntry>({
    apply: (entry) => applyShipment(book, entry),
    entries: options.entries,
    record: options.record,
  });
  const run = (operation: ShipmentOperation) => {
    const decide = () => {
      const code = refuse(operation);
      return code ? refused(operation, code, now()) : decideShipment(book, operation, now());
    };
    return answers.once({ key: operation.key, isSame: (known) => isSameShipment(known, operation), decide });
  };
  return {
    book: async (request) => bookingResult(await run({ op: 'book', ...request })),
    cancelBooking: async (request) => cancellationResult(await run({ op: 'cancelBooking', ...request })),
    dispatch: async (request) => dispatchResult(await run({ op: 'dispatch', ...request })),
    delivery: (request) => {
      const code = refuse({ op: 'delivery', ...request });
      return Promise.resolve(
        code ? { outcome: 'failed', code } : deliveryOf(book, request, { now: now(), deliveryMs }),
      );
    },
    find: async (key) => {
      const entry = await answers.find(key);
      if (entry) return resultOf(entry);
      return book.tombstones.has(key) ? { outcome: 'refused', code: 'TOMBSTONED' } : 'not-found';
    },
  };
}

function resultOf(entry: ShipmentEntry): LogisticsResult {
  switch (entry.op) {
    case 'book':
      return bookingResult(entry);
    case 'cancelBooking':
      return cancellationResult(entry);
    case 'dispatch':
      return dispatchResult(entry);
  }
}

function bookingResult(entry: ShipmentEntry): BookingResult {
  const { providerId = '' } = entry;
  // The number is made from the booking's id, so that a restart tells the same one.
  const trackingNumber = `SIM${providerId
    .replace(/[^0-9a-f]/g, '')
    .slice(-12)
    .toUpperCase()}`;
  return refusalOf(entry) ?? { outcome: 'booked', providerId, carrier: 'Simulated Post', trackingNumber };
}

function cancellationResult(entry: ShipmentEntry): CancellationResult {
  return refusalOf(entry) ?? { outcome: 'cancelled' };
}

function dispatchResult(entry: ShipmentEntry): DispatchResult {
  return refusalOf(entry) ?? { outcome: 'dispatched', at: entry.at };
}

function refusalOf({ result }: ShipmentEntry): { readonly outcome: 'refused'; readonly code: string } | undefined {
  if (!result.startsWith('refused:')) return undefined;
  return { outcome: 'refused', code: result.slice('refused:'.length) };
}
