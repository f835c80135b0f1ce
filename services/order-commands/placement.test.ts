import { describe, expect, it } from 'vitest';
import type { OrderInput } from '../../schemas/commands.ts';
import { amountMax } from '../../schemas/money.ts';
import { metadataMax, paymentsMax } from './placement.ts';
import {
  cancelled,
  given,
  orderId,
  orderInput,
  paymentId,
  placed,
  placeOrder,
  secondPaymentId,
} from './order.examples.ts';

const line = { sku: 'mug', quantity: 1, unitPrice: 100 };

describe('placing an order', () => {
  it('prices lines, derives ids and pays the whole by the one payment', () => {
    given().when(placeOrder()).thenDecided({ event: placed });
  });

  it('hands on the time, the claim on the reference, and personal data to be sealed', () => {
    const shippingAddress = { name: 'Ada', line1: 'Street 1', city: 'Here', postalCode: '1', country: 'DE' };
    const order = {
      reference: 'A-1',
      shippingAddress,
      email: 'ada@example.com',
      occurredAt: '2026-01-02T03:04:05+01:00',
    };
    given()
      .when(placeOrder(order))
      .thenDecided({
        event: { ...placed, data: { ...placed.data, reference: 'A-1' } } as typeof placed,
        occurredAt: '2026-01-02T03:04:05+01:00',
        claim: 'reference:A-1',
        personal: { subject: 'default~customer-1', value: { shippingAddress, email: 'ada@example.com' } },
      });
  });

  it('writes neither address, email nor payment token into the event', () => {
    const { decision } = given().when(
      placeOrder({
        email: 'canary-email',
        shippingAddress: { name: 'canary-name' },
        payments: [{ method: 'card', token: 'canary-token' }],
      }),
    );
    if (decision.outcome !== 'accepted') throw new Error('rejected');
    expect(JSON.stringify(decision.events.map(({ event }) => event))).not.toContain('canary');
    expect(JSON.stringify(decision)).not.toContain('canary-token');
  });

  it('takes several payments that add up to the total', () => {
    const payments = [
      { method: 'card', amount: 1500 },
      { method: 'voucher', amount: 500 },
    ];
    const { decision } = given().when(placeOrder({ payments }));
    expect(decision).toMatchObject({
      events: [
        {
          event: {
            data: {
              payments: [
                { paymentId, method: 'card', amount: 1500 },
                { paymentId: secondPaymentId, method: 'voucher', amount: 500 },
              ],
            },
          },
        },
      ],
    });
  });

  it('takes an order that costs nothing', () => {
    const { decision } = given().when(placeOrder({ lines: [{ ...line, unitPrice: 0 }], shippingFee: 0, discount: 0 }));
    expect(decision.outcome).toBe('accepted');
  });

  it('takes the largest amount of money', () => {
    const { decision } = given().when(
      placeOrder({ lines: [{ ...line, unitPrice: amountMax }], shippingFee: 0, discount: 0 }),
    );
    expect(decision.outcome).toBe('accepted');
  });

  it('is refused for an order that exists, whatever became of it', () => {
    given(placed).when(placeOrder()).thenRejected('ORDER_ALREADY_EXISTS');
    given(placed, cancelled).when(placeOrder()).thenRejected('ORDER_ALREADY_EXISTS');
  });

  it.each<[string, Partial<OrderInput>, RegExp]>([
    ['payments below the total', { payments: [{ method: 'card', amount: 1999 }] }, /2000.*1999/],
    ['payments above the total', { payments: [{ method: 'card', amount: 2001 }] }, /2000.*2001/],
    ['no payment for a price', { payments: [] }, /2000.* 0/],
    [
      'payments that add up beyond 2^53-1',
      { payments: [1, 2].map(() => ({ method: 'x', amount: amountMax })) },
      /18014398509481982/,
    ],
    ['a discount above the price', { discount: 5000 }, /-2950/],
    ['a line beyond 2^53-1', { lines: [{ ...line, quantity: 2, unitPrice: amountMax }] }, /2\^53/],
    ['lines that add up beyond 2^53-1', { lines: [line, { ...line, unitPrice: amountMax }] }, /2\^53/],
    [
      'taxes beyond 2^53-1',
      {
        lines: [
          { ...line, tax: amountMax },
          { ...line, tax: 1 },
        ],
      },
      /2\^53/,
    ],
  ])('is refused as TOTAL_MISMATCH, with the numbers: %s', (_, changes, detail) => {
    given().when(placeOrder(changes)).thenRejected('TOTAL_MISMATCH', detail);
  });

  it.each<[string, Partial<OrderInput>, RegExp]>([
    ['no lines', { lines: [] }, /^\/lines: /],
    ['a quantity of 0', { lines: [line, { ...line, quantity: 0 }] }, /^\/lines\/1\/quantity: /],
    ['a quantity below 0', { lines: [{ ...line, quantity: -1 }] }, /^\/lines\/0\/quantity: /],
    ['half a quantity', { lines: [{ ...line, quantity: 1.5 }] }, /^\/lines\/0\/quantity: /],
    ['no number as quantity', { lines: [{ ...line, quantity: NaN }] }, /^\/lines\/0\/quantity: /],
    ['a price below 0', { lines: [{ ...line, unitPrice: -1 }] }, /^\/lines\/0\/unitPrice: /],
    ['a price beyond 2^53-1', { lines: [{ ...line, unitPrice: 2 ** 53 }] }, /^\/lines\/0\/unitPrice: /],
    ['an endless price', { lines: [{ ...line, unitPrice: Infinity }] }, /^\/lines\/0\/unitPrice: /],
    ['a tax below 0', { lines: [{ ...line, tax: -1 }] }, /^\/lines\/0\/tax: /],
    ['a SKU with spaces', { lines: [{ ...line, sku: 'a b' }] }, /^\/lines\/0\/sku: /],
    ['an empty SKU', { lines: [{ ...line, sku: '' }] }, /^\/lines\/0\/sku: /],
    ['shipping below 0', { shippingFee: -1 }, /^\/shippingFee: /],
    ['a discount below 0', { discount: -1 }, /^\/discount: /],
    ['a currency that is none', { currency: 'XXX' }, /^\/currency: /],
    ['a currency in lower case', { currency: 'eur' }, /^\/currency: /],
    ['no customer', { customerId: '' }, /^\/customerId: /],
    ['an empty reference', { reference: '' }, /^\/reference: /],
    ['a payment below 0', { payments: [{ method: 'card', amount: -1 }] }, /^\/payments\/0\/amount: /],
    [
      'no amount in one of several payments',
      { payments: [{ method: 'card', amount: 1500 }, { method: 'x' }] },
      /^\/payments\/1\/amount: /,
    ],
    ['an empty method', { payments: [{ method: '' }] }, /^\/payments\/0\/method: /],
    ['too many payments', { payments: Array(paymentsMax + 1).fill({ method: 'x', amount: 0 }) }, /^\/payments: /],
    [
      'too much metadata',
      { metadata: Object.fromEntries(Array.from({ length: metadataMax + 1 }, (__, i) => [`k${i}`, ''])) },
      /^\/metadata: /,
    ],
    ['a day that does not exist', { occurredAt: '2026-02-30T00:00:00Z' }, /^\/occurredAt: /],
    ['a moment in 1 BC', { occurredAt: '0001-01-01T00:00:00+14:00' }, /^\/occurredAt: /],
    ['a moment in the year 10000', { occurredAt: '9999-12-31T23:59:59-12:00' }, /^\/occurredAt: /],
  ])('is refused as INVALID_VALUE, with the place: %s', (_, changes, detail) => {
    given().when(placeOrder(changes)).thenRejected('INVALID_VALUE', detail);
  });

  it('does not change its input, and decides alike twice', () => {
    const command = Object.freeze({ ...placeOrder(), order: Object.freeze(orderInput) });
    expect(given().when(command).decision).toEqual(given().when(command).decision);
    expect(command.orderId).toBe(orderId);
  });
});
