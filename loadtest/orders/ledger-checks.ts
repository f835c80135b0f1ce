import type { LedgerLine } from './ledger-file.ts';
import type { FeedEvent, OrderReading } from './read-orders.ts';

/** An entry of the payment simulator's ledger, as far as it is checked. */
export type PaymentLedgerEntry = {
  readonly op: string;
  readonly orderId: string;
  readonly amount: number;
  readonly result: string;
};

type Readings = ReadonlyMap<string, OrderReading | null>;

/** Acknowledged answers that a reader no longer finds, or finds older than they were. */
export function lostAnswers(ledger: readonly LedgerLine[], readings: Readings): readonly LedgerLine[] {
  return ledger.filter(({ orderId, version }) => (readings.get(orderId)?.version ?? 0) < version);
}

/** One sentence for each command that had two effects, or two different answers. */
export function duplicateEffects(ledger: readonly LedgerLine[], placed: readonly FeedEvent[]): readonly string[] {
  const answers = Map.groupBy(ledger, ({ commandId }) => commandId);
  const contradicted = [...answers].filter(([, lines]) => new Set(lines.map(({ orderId }) => orderId)).size > 1);
  const events = Map.groupBy(placed, ({ commandId }) => commandId);
  const repeated = [...events].filter(([, placements]) => placements.length > 1);
  return [
    ...contradicted.map(([commandId]) => `command ${commandId} was answered with two orders`),
    ...repeated.map(([commandId, all]) => `command ${commandId} placed ${all.length} orders`),
  ];
}

/** Orders that were captured more than once. */
export function doubleCharges(entries: readonly PaymentLedgerEntry[]): number {
  return [...capturesByOrder(entries).values()].filter((captures) => captures.length > 1).length;
}

/** One sentence for each order that was not captured exactly once, in full, and for each charge without an order. */
export function wrongCharges(readings: Readings, entries: readonly PaymentLedgerEntry[]): readonly string[] {
  const captures = capturesByOrder(entries);
  const refunds = entries.filter(({ op, result }) => op === 'refund' && result === 'succeeded');
  const miscounted = [...readings].flatMap(([orderId, reading]) => {
    const found = captures.get(orderId) ?? [];
    if (found.length !== 1) return [`order ${orderId} was captured ${found.length} times`];
    const amount = found[0]?.amount ?? 0;
    return amount === reading?.total ? [] : [`order ${orderId} was captured ${amount}, its total is ${reading?.total}`];
  });
  const strangers = [...captures.keys()].filter((orderId) => !readings.has(orderId));
  return [
    ...miscounted,
    ...strangers.map((orderId) => `order ${orderId} was captured and nobody was told of it`),
    ...refunds.map(({ orderId }) => `order ${orderId} was refunded`),
  ];
}

function capturesByOrder(entries: readonly PaymentLedgerEntry[]): Map<string, PaymentLedgerEntry[]> {
  const captures = entries.filter(({ op, result }) => op === 'capture' && result === 'succeeded');
  return Map.groupBy(captures, ({ orderId }) => orderId);
}
