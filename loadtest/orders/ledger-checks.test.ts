import { describe, expect, it } from 'vitest';

import { doubleCharges, duplicateEffects, lostAnswers, wrongCharges } from './ledger-checks.ts';
import type { PaymentLedgerEntry } from './ledger-checks.ts';
import type { LedgerLine } from './ledger-file.ts';
import type { FeedEvent, OrderReading } from './read-orders.ts';

const answered = (name: string, version = 1): LedgerLine => ({
  tenantId: 'default',
  commandId: `place-${name}`,
  orderId: name,
  version,
  status: 201,
});
const delivered = (version = 8): OrderReading => ({ status: 'delivered', cancelReason: null, version, total: 700 });
const captured = (orderId: string, amount = 700): PaymentLedgerEntry => ({
  op: 'capture',
  orderId,
  amount,
  result: 'succeeded',
});
const placed = (orderId: string): FeedEvent => ({
  type: 'OrderPlaced',
  stream: `order-${orderId}`,
  commandId: `place-${orderId}`,
  data: { orderId },
});

describe('what was answered', () => {
  it('is kept where each order is there at its version or a newer one', () => {
    const readings = new Map([
      ['a', delivered(1)],
      ['b', delivered(8)],
    ]);
    expect(lostAnswers([answered('a'), answered('b')], readings)).toEqual([]);
  });

  it('is lost where the order is not found, older than it was answered, or was not looked for', () => {
    const readings = new Map([
      ['missing', null],
      ['older', delivered(1)],
    ]);
    const ledger = [answered('missing'), answered('older', 2), answered('unread')];
    expect(lostAnswers(ledger, readings)).toEqual(ledger);
  });
});

describe('what was done twice', () => {
  it('is nothing where a replay gave the same order again', () => {
    expect(duplicateEffects([answered('a'), answered('a')], [placed('a')])).toEqual([]);
  });

  it('is a command with two placements', () => {
    expect(duplicateEffects([answered('a')], [placed('a'), placed('a')])).toEqual(['command place-a placed 2 orders']);
  });

  it('is a command that was answered with two orders', () => {
    const ledger = [answered('a'), { ...answered('a'), orderId: 'other' }];
    expect(duplicateEffects(ledger, [placed('a')])).toEqual(['command place-a was answered with two orders']);
  });
});

describe('a charge', () => {
  const readings = new Map([['a', delivered()]]);

  it('is right where each order was captured once, in full', () => {
    const authorized = { ...captured('a'), op: 'authorize' };
    const declined = { ...captured('a'), result: 'declined:EXCEEDS_AUTHORIZED' };
    expect(wrongCharges(readings, [authorized, declined, captured('a')])).toEqual([]);
  });

  it('is wrong where an order was captured twice or never', () => {
    expect(wrongCharges(readings, [captured('a'), captured('a')])).toEqual(['order a was captured 2 times']);
    expect(doubleCharges([captured('a'), captured('a'), captured('b')])).toBe(1);
    expect(wrongCharges(readings, [])).toEqual(['order a was captured 0 times']);
  });

  it('is wrong where the amount is not the total', () => {
    expect(wrongCharges(readings, [captured('a', 699)])).toEqual(['order a was captured 699, its total is 700']);
  });

  it('is wrong where nobody was told of the order, or the money went back', () => {
    const problems = wrongCharges(readings, [captured('a'), captured('b'), { ...captured('a'), op: 'refund' }]);
    expect(problems).toEqual(['order b was captured and nobody was told of it', 'order a was refunded']);
  });
});
