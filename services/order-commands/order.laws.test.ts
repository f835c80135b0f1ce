import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AmendmentInput, OrderCommand, OrderFact, OrderInput } from '../../schemas/commands.ts';
import { categoryOfType, eventTypes } from '../../schemas/event-registry.ts';
import { isValidEvent } from '../../schemas/event-codec.ts';
import { exampleData } from '../../schemas/examples.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { eventsOf, foldAll, historyOf } from '../../test/given.ts';
import { orderDecider } from './order-decider.ts';
import { facts, given, orderId, paymentId, placed, placeOrder, secondPaymentId } from './order.examples.ts';

const twoPayments: OrderEvent = {
  ...placed,
  data: {
    ...placed.data,
    payments: [
      { paymentId, method: 'card', amount: 1200 },
      { paymentId: secondPaymentId, method: 'voucher', amount: 800 },
    ],
  },
} as typeof placed;

// Few ids and amounts, so that facts meet, repeat and overlap.
const anyPayment = fc.constantFrom(paymentId, secondPaymentId);
const anyProvider = fc.constantFrom('p1', 'p2', 'p3', 'p4');
const anyShipment = fc.constantFrom('s1', 's2');
const anyAmount = fc.constantFrom(0, 1, 500, 800, 1200, 2000);
const anyRefund = fc.constantFrom('r1', 'r2');

const anyFact: fc.Arbitrary<OrderFact> = fc
  .record({
    paymentId: anyPayment,
    providerId: anyProvider,
    shipmentId: anyShipment,
    amount: anyAmount,
    refundId: anyRefund,
  })
  .chain((ids) => fc.constantFrom(...Object.values(facts)).map((fact) => withIds(fact, ids)));

const anyRequest: fc.Arbitrary<OrderCommand> = fc.oneof(
  fc.constantFrom<OrderCommand>(
    { type: 'CancelOrder', orderId, reason: 'changed my mind' },
    { type: 'ExpireOrder', orderId },
    { type: 'BeginDispatch', orderId },
    placeOrder(),
  ),
  anyAmount.map((shippingFee): OrderCommand => {
    return { type: 'AmendOrder', orderId, tenantId: 'default', amendment: { shippingFee } };
  }),
  fc
    .record({ paymentId: anyPayment, refundId: anyRefund, amount: anyAmount })
    .map((request) => ({ type: 'RequestRefund' as const, orderId, reason: 'damaged', ...request })),
);
/** Payment facts most of all: an order is rarely paid by chance. */
const anyCommand: fc.Arbitrary<OrderCommand> = fc.oneof({ weight: 2, arbitrary: anyFact }, anyRequest);
const placePaidTwice = placeOrder({
  payments: [
    { method: 'card', amount: 1200 },
    { method: 'voucher', amount: 800 },
  ],
});
const anyCommands = fc.array(anyCommand, { maxLength: 40 }).map((commands) => [placePaidTwice, ...commands]);

const orderEventTypes = eventTypes.filter((type) => categoryOfType(type) === 'order');
const anyEvent = fc
  .record({
    type: fc.constantFrom(...orderEventTypes),
    paymentId: anyPayment,
    shipmentId: anyShipment,
    providerId: anyProvider,
    amount: anyAmount,
  })
  .map(({ type, ...ids }) => {
    const data: object = exampleData[type];
    const known = Object.entries(ids).filter(([key]) => key in data);
    return { type, data: { ...data, ...Object.fromEntries(known) } } as OrderEvent;
  });

describe('any history', () => {
  it('folds, and every command has an answer on it', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), anyCommand, (events, command) => {
        const state = foldAll(orderDecider, events);
        expect(state.status === 'Unplaced').toBe(!events.some(({ type }) => type === 'OrderPlaced'));
        expect(['accepted', 'rejected']).toContain(orderDecider.decide(command, state).outcome);
      }),
      { numRuns: 500 },
    );
  });

  it('folds in two parts as in one, and leaves its states untouched', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 20 }), anyEvent, (events, event) => {
        const before = deepFreeze(foldAll(orderDecider, [twoPayments, ...events]));
        expect(orderDecider.evolve(before, event)).toEqual(foldAll(orderDecider, [twoPayments, ...events, event]));
      }),
    );
  });
});

describe('any commands', () => {
  it('make events that their schemas hold', () => {
    fc.assert(
      fc.property(anyCommands, (commands) => {
        for (const { type, data } of historyOf(orderDecider, commands)) expect(isValidEvent(type, data)).toBe(true);
      }),
    );
  });

  it('add nothing when repeated at once', () => {
    fc.assert(
      fc.property(anyCommands, anyCommand, (commands, command) => {
        const history = historyOf(orderDecider, commands);
        const first = given(...history).when(command).decision;
        const second = given(...history, ...eventsOf(first)).when(command).decision;
        expect(eventsOf(second)).toEqual([]);
        if (first.outcome === 'rejected') expect(second).toEqual(first);
      }),
      { numRuns: 500 },
    );
  });

  it('add nothing for any fact that is delivered again, however late', () => {
    fc.assert(
      fc.property(anyCommands, (commands) => {
        const history = historyOf(orderDecider, commands);
        for (const fact of commands.filter(({ type }) => type.startsWith('Record'))) {
          expect(eventsOf(given(...history).when(fact).decision)).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('conserve money: 0 <= refunded <= captured <= authorized, of each payment', () => {
    fc.assert(
      fc.property(anyCommands, (commands) => {
        const history = historyWithAnHonestProvider(commands);
        for (const id of [paymentId, secondPaymentId]) {
          const { authorized, captured, refunded } = told(history, id);
          expect(refunded).toBeGreaterThanOrEqual(0);
          expect(refunded).toBeLessThanOrEqual(captured);
          expect(captured).toBeLessThanOrEqual(authorized);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never promise more refunds than was captured', () => {
    fc.assert(
      fc.property(anyCommands, (commands) => {
        const withoutOwnRefunds = commands.filter(({ type }) => type !== 'RecordPaymentRefunded');
        const history = historyOf(orderDecider, [placePaidTwice, ...bothCaptured(1200), ...withoutOwnRefunds]);
        for (const id of [paymentId, secondPaymentId])
          expect(promised(history, id)).toBeLessThanOrEqual(told(history, id).captured);
      }),
      { numRuns: 500 },
    );
  });

  it('cancel or dispatch, never both', () => {
    const begun = { count: 0 };
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 8 }), fc.array(anyCommand, { maxLength: 12 }), (before, after) => {
        const types = historyOf(orderDecider, [placePaidTwice, ...before, ...bothCaptured(2000), ...after]).map(
          ({ type }) => type,
        );
        const ended = types.filter((type) => type === 'OrderCancelled' || type === 'OrderExpired');
        if (types.includes('DispatchBegun')) begun.count += 1;
        expect(ended.length + types.filter((type) => type === 'DispatchBegun').length).toBeLessThanOrEqual(1);
        const left = types.findIndex((type) => type === 'ShipmentDispatched' || type === 'ShipmentDelivered');
        if (left >= 0) expect(types.slice(left)).not.toContain('OrderCancelled');
      }),
      { numRuns: 500 },
    );
    // Otherwise the law would hold of nothing.
    expect(begun.count).toBeGreaterThan(20);
  });
});

describe('any order', () => {
  const anyLine = fc.record({
    sku: fc.constantFrom('mug', 'card'),
    quantity: fc.integer({ min: 1, max: 1000 }),
    unitPrice: fc.integer({ min: 0, max: 100_000 }),
    tax: fc.integer({ min: 0, max: 1000 }),
  });
  const anyOrder = fc.record({
    lines: fc.array(anyLine, { minLength: 1, maxLength: 6 }),
    shippingFee: fc.integer({ min: 0, max: 1000 }),
    discount: fc.integer({ min: 0, max: 1000 }),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
  });

  it('is placed at its exact total, however it is paid, and at no other', () => {
    fc.assert(
      fc.property(anyOrder, ({ cuts, ...order }) => {
        const total = exactTotal(order);
        fc.pre(total >= 0);
        const amounts = split(total, cuts);
        const payments = amounts.map((amount) => ({ method: 'card', amount }));
        const { decision } = given().when(placeOrder({ ...order, payments }));
        const [event] = eventsOf(decision);
        if (event?.type !== 'OrderPlaced') throw new Error('not placed');
        const { totals, lines } = event.data;
        expect(totals.total).toBe(total);
        expect(totals.subtotal + totals.tax + totals.shipping - totals.discount).toBe(total);
        expect(lines.map(({ lineId }) => lineId)).toEqual(order.lines.map((_, index) => String(index + 1)));
        expect(event.data.payments.reduce((paid, { amount }) => paid + amount, 0)).toBe(total);
        expect(new Set(event.data.payments.map((payment) => payment.paymentId)).size).toBe(payments.length);

        const more = payments.map((payment, index) =>
          index === 0 ? { ...payment, amount: payment.amount + 1 } : payment,
        );
        given()
          .when(placeOrder({ ...order, payments: more }))
          .thenRejected('TOTAL_MISMATCH');
      }),
    );
  });
});

describe('any amendments', () => {
  const anyQuantity = fc.integer({ min: 1, max: 9 });
  const anyPrice = fc.integer({ min: 0, max: 5_000 });
  const anySku = fc.constantFrom('mug', 'card', 'tea');
  /** Lines by their place among those of the order, where it has so many, else new ones. */
  const anyLines = fc.array(
    fc.record({ kept: fc.option(fc.nat(3)), sku: anySku, quantity: anyQuantity, unitPrice: anyPrice, tax: anyPrice }),
    { minLength: 1, maxLength: 4 },
  );
  const anyAmendment = fc.record(
    { lines: anyLines, shippingFee: anyPrice, discount: anyPrice, address: fc.constant(true) },
    { requiredKeys: [] },
  );
  const twoSlips = placeOrder({
    payments: [
      { method: 'bank_slip', amount: 1200 },
      { method: 'bank_slip', amount: 800 },
    ],
  });
  const oneSlip = placeOrder({ payments: [{ method: 'bank_slip' }] });

  type Amendment = typeof anyAmendment extends fc.Arbitrary<infer Value> ? Value : never;

  function amendmentOf({ lines, shippingFee, discount, address }: Amendment, placed: OrderLines): AmendmentInput {
    const known = new Set<string>();
    return {
      ...(shippingFee === undefined ? {} : { shippingFee }),
      ...(discount === undefined ? {} : { discount }),
      ...(address === undefined ? {} : { shippingAddress: { city: 'Berlin' } }),
      ...(lines === undefined
        ? {}
        : {
            lines: lines.map(({ kept, ...line }) => {
              const old = kept === null ? undefined : placed[kept];
              if (old === undefined || known.has(old.lineId)) return line;
              known.add(old.lineId);
              return { ...line, lineId: old.lineId, sku: old.sku };
            }),
          }),
    };
  }
  type OrderLines = readonly { readonly lineId: string; readonly sku: string }[];

  it('keep money exact: lines + tax + shipping - discount = total = payments, and ids of lines apart', () => {
    const counted = { accepted: 0 };
    fc.assert(
      fc.property(fc.constantFrom(oneSlip, twoSlips), fc.array(anyAmendment, { maxLength: 8 }), (start, all) => {
        const history = [...historyOf(orderDecider, [start])];
        const skus = new Map<string, string>();
        for (const each of all) {
          const state = foldAll(orderDecider, history);
          if (state.status === 'Unplaced') throw new Error('not placed');
          for (const { lineId, sku } of state.lines) skus.set(lineId, sku);
          const { decision } = given(...history).when({
            ...{ type: 'AmendOrder', orderId, tenantId: 'default' },
            amendment: amendmentOf(each, state.lines),
          });
          const [event] = eventsOf(decision);
          if (event?.type !== 'OrderAmended') continue;
          counted.accepted += 1;
          history.push(event);
          const { lines, totals, payments, previousTotal } = event.data;
          const shippingFee = totals.shipping;
          expect(totals.total).toBe(exactTotal({ lines: lines.map(unnamed), shippingFee, discount: totals.discount }));
          expect(payments.reduce((paid, { amount }) => paid + amount, 0)).toBe(totals.total);
          expect(previousTotal).toBe(state.totals.total);
          expect(new Set(lines.map(({ lineId }) => lineId)).size).toBe(lines.length);
          // A line's id says the same goods for ever, also after the line was dropped.
          for (const { lineId, sku } of lines) expect(skus.get(lineId) ?? sku).toBe(sku);
          expect(isValidEvent(event.type, event.data)).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
    expect(counted.accepted).toBeGreaterThan(200);
  });

  function unnamed<Line extends { readonly name: string | null }>({ name: _, ...line }: Line): Omit<Line, 'name'> {
    return line;
  }
});

type Ids = {
  readonly paymentId: string;
  readonly providerId: string;
  readonly shipmentId: string;
  readonly amount: number;
  readonly refundId: string;
};

function withIds(fact: OrderFact, ids: Ids): OrderFact {
  const known = Object.entries(ids).filter(([key]) => key in fact);
  return { ...fact, ...Object.fromEntries(known) };
}

/** A provider pays back at most what it captured; its other facts may come in any order and of any amount. */
function historyWithAnHonestProvider(commands: readonly OrderCommand[]): readonly OrderEvent[] {
  const decided: OrderCommand[] = [];
  for (const command of commands) {
    if (command.type !== 'RecordPaymentRefunded') decided.push(command);
    else {
      const { captured, refunded } = told(historyOf(orderDecider, decided), command.paymentId);
      decided.push({ ...command, amount: Math.min(command.amount, captured - refunded) });
    }
  }
  return historyOf(orderDecider, decided);
}

function bothCaptured(amount: number): readonly OrderFact[] {
  return [paymentId, secondPaymentId].map((id) => ({ ...facts.RecordPaymentCaptured, paymentId: id, amount }));
}

/** Summed over the events, not by the fold that is under test. */
function told(history: readonly OrderEvent[], id: string) {
  const totalOf = (type: OrderEvent['type']) =>
    history.reduce(
      (total, { type: told, data }) =>
        told === type && 'amount' in data && data.paymentId === id ? total + data.amount : total,
      0,
    );
  return {
    authorized: totalOf('PaymentAuthorized'),
    captured: totalOf('PaymentCaptured'),
    refunded: totalOf('PaymentRefunded'),
  };
}

/** Requested and not failed. */
function promised(history: readonly OrderEvent[], id: string): number {
  const failed = history.flatMap((event) =>
    event.type === 'RefundFailed' && event.data.paymentId === id ? [event.data.refundId] : [],
  );
  return history.reduce(
    (total, event) =>
      event.type === 'RefundRequested' && event.data.paymentId === id && !failed.includes(event.data.refundId)
        ? total + event.data.amount
        : total,
    0,
  );
}

function exactTotal(order: Pick<OrderInput, 'lines' | 'shippingFee' | 'discount'>): number {
  const lines = order.lines.map(
    ({ quantity, unitPrice, tax }) => BigInt(quantity) * BigInt(unitPrice) + BigInt(tax ?? 0),
  );
  return Number(lines.reduce((total, line) => total + line, 0n)) + (order.shippingFee ?? 0) - (order.discount ?? 0);
}

function split(total: number, cuts: readonly number[]): readonly number[] {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * total)).sort((a, b) => a - b), total];
  return places.slice(1).map((place, index) => place - (places[index] ?? 0));
}

function deepFreeze<Value>(value: Value): Value {
  if (value === null || typeof value !== 'object') return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
