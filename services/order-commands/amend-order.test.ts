import { describe, expect, it } from 'vitest';
import type { AmendmentInput, AmendOrder } from '../../schemas/commands.ts';
import type { OrderAmendedData, OrderEvent } from '../../schemas/generated/events.ts';
import {
  booked,
  cancelled,
  currency,
  dispatchBegun,
  dispatched,
  expired,
  given,
  moneyEvent,
  orderId,
  paymentId,
  placed as placedByCard,
  secondPaymentId,
} from './order.examples.ts';

if (placedByCard.type !== 'OrderPlaced') throw new Error('the example is a placement');
const { lines, totals, ...rest } = placedByCard.data;
const [mug, card] = lines;
if (mug === undefined || card === undefined) throw new Error('the example has two lines');
const slip = { paymentId, method: 'bank_slip', amount: 2000 };

function placedWith(...payments: OrderAmendedData['payments']): OrderEvent {
  return { type: 'OrderPlaced', data: { ...rest, lines, totals, payments } };
}
const placed = placedWith(slip);

function amend(amendment: AmendmentInput): AmendOrder {
  return { type: 'AmendOrder', orderId, tenantId: 'default', amendment };
}

function amended(changes: Partial<OrderAmendedData>): OrderEvent {
  const data = { orderId, currency: 'EUR', lines, totals, payments: [slip], previousTotal: 2000, sealed: null };
  return { type: 'OrderAmended', data: { ...data, ...changes } };
}

const kept = { lineId: '1', sku: 'mug', quantity: 2, unitPrice: 800, tax: 300, name: 'Mug' };
const address = { name: 'Ada', line1: '1 Street', city: 'Berlin', postalCode: '10115', country: 'DE' };

describe('an amendment', () => {
  it('takes the whole new list of lines, keeps the ids that it names and gives new ones', () => {
    const tea = { sku: 'tea', quantity: 1, unitPrice: 450 };
    given(placed)
      .when(amend({ lines: [tea, { ...kept, quantity: 3, tax: 450 }] }))
      .then(
        amended({
          lines: [
            { ...tea, lineId: '3', tax: 0, name: null },
            { ...mug, quantity: 3, tax: 450 },
          ],
          totals: { subtotal: 2850, discount: 50, shipping: 100, tax: 450, total: 3350 },
          payments: [{ ...slip, amount: 3350 }],
        }),
      );
  });

  it('counts the ids of lines that were dropped, also by an amendment', () => {
    const without = amended({ lines: [{ ...mug, lineId: '7' }] });
    const { decision } = given(placed, without, amended({ lines: [mug] })).when(
      amend({ lines: [{ sku: 'tea', quantity: 1, unitPrice: 1650, tax: 300 }] }),
    );
    expect(decision).toMatchObject({ events: [{ event: { data: { lines: [{ lineId: '8' }] } } }] });
  });

  it('changes charges alone and leaves the lines', () => {
    given(placed)
      .when(amend({ shippingFee: 0, discount: 150 }))
      .then(
        amended({
          totals: { ...totals, shipping: 0, discount: 150, total: 1800 },
          payments: [{ ...slip, amount: 1800 }],
        }),
      );
  });

  it('is decided on the amendment before it', () => {
    const first = amended({ totals: { ...totals, shipping: 200, total: 2100 }, payments: [{ ...slip, amount: 2100 }] });
    given(placed, first)
      .when(amend({ discount: 0 }))
      .then(
        amended({
          totals: { ...totals, shipping: 200, discount: 0, total: 2150 },
          payments: [{ ...slip, amount: 2150 }],
          currency: 'EUR',
          previousTotal: 2100,
        }),
      );
  });

  it('to what is there already adds nothing; an address always does, and is sealed under the customer', () => {
    for (const same of [{ lines: [kept, { lineId: '2', sku: 'card', quantity: 1, unitPrice: 50 }] }, { discount: 50 }])
      given(placed).when(amend(same)).thenNothing();
    given(placed)
      .when(amend({ payments: [{ paymentId, amount: 2000 }] }))
      .thenNothing();
    const personal = { subject: 'default~customer-1', value: { shippingAddress: address } };
    given(placed)
      .when(amend({ shippingAddress: address }))
      .thenDecided({ event: amended({}), personal });
  });

  it('of several payments needs amounts that add up, and keeps those that it does not name', () => {
    const [one, two] = [
      { ...slip, amount: 1200 },
      { ...slip, paymentId: secondPaymentId, amount: 800 },
    ];
    const order = placedWith(one, two);
    given(order)
      .when(amend({ shippingFee: 0 }))
      .thenRejected('TOTAL_MISMATCH', /1900.*2000/);
    given(order)
      .when(amend({ shippingFee: 0, payments: [{ paymentId: secondPaymentId, amount: 700 }] }))
      .then(
        amended({
          totals: { ...totals, shipping: 0, total: 1900 },
          payments: [one, { ...two, amount: 700 }],
        }),
      );
    given(order)
      .when(
        amend({
          payments: [
            { paymentId, amount: 2000 },
            { paymentId: secondPaymentId, amount: 0 },
          ],
        }),
      )
      .then(
        amended({
          payments: [
            { ...one, amount: 2000 },
            { ...two, amount: 0 },
          ],
        }),
      );
    given(order)
      .when(amend({ shippingAddress: address }))
      .thenDecided({
        event: amended({ payments: [one, two] }),
        personal: { subject: 'default~customer-1', value: { shippingAddress: address } },
      });
  });

  it.each([
    [{ discount: 3000 }, 'TOTAL_MISMATCH', /below 0/],
    [{ shippingFee: Number.MAX_SAFE_INTEGER }, 'TOTAL_MISMATCH', /above/],
    [{ payments: [{ paymentId, amount: 1999 }] }, 'TOTAL_MISMATCH', /1999/],
    [{ lines: [] }, 'INVALID_VALUE', /^\/lines:/],
    [{ lines: [{ ...kept, lineId: '9' }] }, 'INVALID_VALUE', /^\/lines\/0\/lineId:/],
    [{ lines: [kept, kept] }, 'INVALID_VALUE', /^\/lines\/1\/lineId: each/],
    [{ lines: [{ ...kept, sku: 'cup' }] }, 'INVALID_VALUE', /^\/lines\/0\/sku:/],
    [{ lines: [{ ...kept, quantity: 0 }] }, 'INVALID_VALUE', /^\/lines\/0\/quantity:/],
    [{ lines: [{ ...kept, tax: -1 }] }, 'INVALID_VALUE', /^\/lines\/0\/tax:/],
    [{ shippingFee: 0.5 }, 'INVALID_VALUE', /^\/shippingFee:/],
    [{ discount: -1 }, 'INVALID_VALUE', /^\/discount:/],
    [{ payments: [{ paymentId: 'other', amount: 1 }] }, 'INVALID_VALUE', /^\/payments\/0\/paymentId:/],
    [{ payments: [{ paymentId, amount: -1 }] }, 'INVALID_VALUE', /^\/payments\/0\/amount:/],
    [
      {
        payments: [
          { paymentId, amount: 1 },
          { paymentId, amount: 1 },
        ],
      },
      'INVALID_VALUE',
      /^\/payments\/1\/paymentId:/,
    ],
  ] as const)('to %j is refused', (amendment, code, detail) => {
    given(placed).when(amend(amendment)).thenRejected(code, detail);
  });
});

describe('an amendment comes too late', () => {
  const change = amend({ shippingFee: 0 });
  const failed: OrderEvent = { type: 'PaymentFailed', data: { orderId, paymentId, providerId: 'p', code: 'NO' } };
  const unknown: OrderEvent = {
    type: 'PaymentOutcomeUnknown',
    data: { orderId, paymentId, providerId: 'p', operation: 'capture' },
  };

  it.each([
    ['there is no order', [], 'ORDER_NOT_FOUND', /./],
    ['it is cancelled', [placed, cancelled], 'ORDER_CANCELLED', /ended/],
    ['it expired', [placed, expired], 'ORDER_CANCELLED', /not paid in time/],
    ['its dispatch has begun', [placed, dispatchBegun], 'ORDER_ALREADY_SHIPPED', /handed over/],
    ['some of it left', [placed, booked, dispatched], 'ORDER_ALREADY_SHIPPED', /left the building/],
    ['it is paid by card', [placedByCard], 'ORDER_PAYMENT_BEGUN', /by card is authorized from the placement on/],
    [
      'a part is paid by voucher',
      [placedWith({ ...slip, amount: 1000 }, { paymentId: secondPaymentId, method: 'voucher', amount: 1000 })],
      'ORDER_PAYMENT_BEGUN',
      /by voucher/,
    ],
    ['its slip is held', [placed, moneyEvent('PaymentAuthorized')], 'ORDER_PAYMENT_BEGUN', /is authorized$/],
    ['its slip was voided', [placed, moneyEvent('PaymentVoided')], 'ORDER_PAYMENT_BEGUN', /is voided$/],
    ['its slip failed', [placed, failed], 'ORDER_PAYMENT_BEGUN', /is failed$/],
    ['nobody knows of its slip', [placed, unknown], 'ORDER_PAYMENT_BEGUN', /waits for an answer to capture/],
    ['its slip is paid', [placed, moneyEvent('PaymentCaptured')], 'ORDER_PAID', /2000 of 2000 is captured/],
    ['a part is paid', [placed, moneyEvent('PaymentCaptured', 1)], 'ORDER_PAID', /1 of 2000 is captured/],
  ] as const)('where %s', (...row) => {
    const [, history, code, detail] = row;
    given(...history)
      .when(change)
      .thenRejected(code, detail);
  });

  it('where it costs nothing, for that is paid at once', () => {
    const free = { ...totals, discount: 2050, total: 0 };
    const event = amended({ totals: free, payments: [{ ...slip, amount: 0 }] });
    given(placed)
      .when(amend({ discount: 2050 }))
      .then(event);
    given(placed, event)
      .when(change)
      .thenRejected('ORDER_PAID', /0 of 0/);
  });
});

describe('what is paid at an earlier amount', () => {
  const dearer = amended({ totals: { ...totals, shipping: 200, total: 2100 }, payments: [{ ...slip, amount: 2100 }] });
  const cheaper = amended({ totals: { ...totals, shipping: 0, total: 1900 }, payments: [{ ...slip, amount: 1900 }] });
  const slipPaid = {
    type: 'RecordPaymentCaptured',
    orderId,
    paymentId,
    providerId: 'p',
    amount: 2000,
    currency,
  } as const;
  const begin = { type: 'BeginDispatch', orderId } as const;

  it('is recorded as it was paid: too little pays no order, too much does', () => {
    for (const amendment of [dearer, cheaper]) {
      given(placed, amendment)
        .when(slipPaid)
        .then(moneyEvent('PaymentAuthorized', 2000, 'p'), moneyEvent('PaymentCaptured', 2000, 'p'));
    }
    given(placed, dearer, moneyEvent('PaymentCaptured')).when(begin).thenRejected('ORDER_NOT_PAID');
    given(placed, cheaper, moneyEvent('PaymentCaptured')).when(begin).then(dispatchBegun);
  });
});
