import { describe, expect, it } from 'vitest';

import { toCents } from './cents.ts';
import { toBackfill, toFigures, UnreadableRow } from './olist-order.ts';
import { olistOrder } from './olist-example.ts';
import { instantInSaoPaulo } from './sao-paulo.ts';

describe('a decimal text as cents', () => {
  it.each([
    ['199.9', 19_990],
    ['18.14', 1_814],
    ['0', 0],
    ['0.1', 10],
    ['1.005', null],
    ['4503599627370.49', 450_359_962_737_049],
    ['12.3400', 1_234],
    ['-1', null],
    ['1e2', null],
    ['', null],
    ['1,5', null],
  ])('takes %s as %s', (text, cents) => expect(toCents(text)).toBe(cents));
});

describe('a wall clock in São Paulo as an instant', () => {
  it.each([
    ['2017-07-09 21:57:05', '2017-07-10T00:57:05.000Z'],
    ['2017-01-05 12:01:20', '2017-01-05T14:01:20.000Z'],
    // Summer time began on 16 Oct 2016 and 15 Oct 2017 at 0:00, and on 4 Nov 2018: an hour was skipped.
    ['2016-10-15 23:59:59', '2016-10-16T02:59:59.000Z'],
    ['2016-10-16 01:00:00', '2016-10-16T03:00:00.000Z'],
    ['2017-10-15 00:30:00', '2017-10-15T03:30:00.000Z'],
    ['2018-11-04 01:00:00', '2018-11-04T03:00:00.000Z'],
    // It ended on 21 Feb 2016, 19 Feb 2017 and 18 Feb 2018 at 0:00: the hour before came twice, and the first counts.
    ['2016-02-20 23:30:00', '2016-02-21T01:30:00.000Z'],
    ['2017-02-18 22:59:59', '2017-02-19T00:59:59.000Z'],
    ['2018-02-17 23:30:00', '2018-02-18T01:30:00.000Z'],
    ['2018-02-18 00:00:00', '2018-02-18T03:00:00.000Z'],
    ['2018-02-31 00:00:00', null],
    ['2018-02-01', null],
    ['', null],
  ])('takes %s as %s', (text, instant) => expect(instantInSaoPaulo(text)).toBe(instant));
});

describe('an Olist order as history', () => {
  it('becomes lines, payments in their sequence, and facts in the order that they happened', () => {
    const body = toBackfill(olistOrder('delivered', { order_delivered_carrier_date: '2016-01-01 00:00:00' }));
    expect(body).toEqual({
      reference: 'o1',
      customerId: 'u1',
      currency: 'BRL',
      lines: [
        { sku: 'p1', quantity: 1, unitPrice: 1_990 },
        { sku: 'p2', quantity: 1, unitPrice: 501 },
      ],
      shippingFee: 350,
      shippingAddress: { city: 'sao paulo', region: 'SP', postalCode: '04548' },
      payments: [
        { method: 'card', amount: 2_800 },
        { method: 'bank_slip', amount: 41 },
        { method: 'voucher', amount: 0 },
      ],
      occurredAt: '2017-07-10T00:00:00.000Z',
      facts: [
        { kind: 'paid', occurredAt: '2017-07-10T01:00:00.000Z', payment: 0 },
        { kind: 'paid', occurredAt: '2017-07-10T01:00:00.000Z', payment: 1 },
        { kind: 'paid', occurredAt: '2017-07-10T01:00:00.000Z', payment: 2 },
        // Earlier than the order itself: the clock is kept, the sequence is what happened.
        { kind: 'shipped', occurredAt: '2016-01-01T02:00:00.000Z' },
        { kind: 'delivered', occurredAt: '2017-07-12T03:00:00.000Z' },
      ],
    });
  });

  it('keeps a step whose time nobody wrote down', () => {
    const body = toBackfill(olistOrder('delivered', { order_delivered_customer_date: '' }));
    expect(body.facts.at(-1)).toEqual({ kind: 'delivered', occurredAt: null });
  });

  it('is not captured where it was not approved', () => {
    const body = toBackfill(olistOrder('canceled', { order_approved_at: '', ...notSent }));
    expect(body.facts).toEqual([{ kind: 'cancelled', occurredAt: null }]);
    expect(toFigures(body)).toMatchObject({ status: 'cancelled', captured: 0, refunded: 0 });
  });

  it('gives back what was paid, payment by payment, where it was cancelled or unavailable', () => {
    const body = toBackfill(olistOrder('unavailable', notSent));
    expect(body.facts.slice(3)).toEqual([
      { kind: 'cancelled', occurredAt: null, reason: 'unavailable' },
      { kind: 'refunded', occurredAt: null, payment: 0, amount: 2_800 },
      { kind: 'refunded', occurredAt: null, payment: 1, amount: 41 },
    ]);
    expect(toFigures(body)).toMatchObject({ status: 'cancelled', captured: 2_841, refunded: 2_841 });
  });

  it.each([
    ['created', { order_approved_at: '', ...notSentOf() }, 'placed'],
    ['approved', notSentOf(), 'paid'],
    ['invoiced', notSentOf(), 'paid'],
    ['processing', notSentOf(), 'paid'],
    ['shipped', { order_delivered_customer_date: '' }, 'shipped'],
    ['delivered', {}, 'delivered'],
  ])('in status %s is expected to be seen as such', (status, change, expected) => {
    expect(toFigures(toBackfill(olistOrder(status, change))).status).toBe(expected);
  });

  it('may have no lines, and payments of another sum', () => {
    const body = toBackfill({ ...olistOrder('unavailable', notSent), items: [] });
    expect(toFigures(body)).toMatchObject({ lines: 0, total: 0, freight: 0, captured: 2_841 });
  });

  it('is refused with the place where a row cannot be read', () => {
    const bad = olistOrder('delivered', { order_purchase_timestamp: 'yesterday' });
    expect(() => toBackfill(bad)).toThrow(new UnreadableRow('order_purchase_timestamp of o1 is "yesterday"'));
  });
});

const notSent = notSentOf();

function notSentOf(): Readonly<Record<string, string>> {
  return { order_delivered_carrier_date: '', order_delivered_customer_date: '' };
}
