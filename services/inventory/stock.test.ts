import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StockCommand } from '../../schemas/commands.ts';
import { isValidEvent } from '../../schemas/event-codec.ts';
import type { StockEvent } from '../../schemas/generated/events.ts';
import type { OrderId } from '../../schemas/ids.ts';
import { eventsOf, foldAll, historyOf, scenariosOf } from '../../test/given.ts';
import { stockDecider } from './stock-decider.ts';
import { availableOf, holdOf, isTracked } from './stock.ts';

const { given } = scenariosOf(stockDecider);
const sku = 'mug';
const orderId = 'b1230187-2359-5e53-908a-0ba472029fc7' as OrderId;
const otherOrderId = 'b1fceb4b-28ad-5e13-a840-a239ac5a1abd' as OrderId;

const receive = (quantity: number): StockCommand => ({ type: 'ReceiveStock', sku, quantity });
const adjust = (delta: number): StockCommand => ({ type: 'AdjustStock', sku, delta, reason: 'counted' });
const reserve = (quantity: number, id = orderId): StockCommand => ({
  type: 'ReserveStock',
  sku,
  orderId: id,
  quantity,
});
const change = (quantity: number, orderVersion = 2, id = orderId): StockCommand => ({
  ...({ type: 'ChangeReservation', sku, orderId: id } as const),
  ...{ quantity, orderVersion },
});
const release = (id = orderId): StockCommand => ({ type: 'ReleaseStock', sku, orderId: id });
const deduct = (id = orderId): StockCommand => ({ type: 'DeductStock', sku, orderId: id });

const received = (quantity: number): StockEvent => ({ type: 'StockReceived', data: { sku, quantity } });
const adjusted = (delta: number): StockEvent => ({ type: 'StockAdjusted', data: { sku, delta, reason: 'counted' } });
const reserved = (quantity: number, id = orderId): StockEvent => ({
  type: 'StockReserved',
  data: { sku, orderId: id, quantity },
});
const changed = (quantity: number, previousQuantity: number, orderVersion = 2): StockEvent => ({
  type: 'StockReservationChanged',
  data: { sku, orderId, quantity, previousQuantity, orderVersion },
});
const released = (quantity: number, id = orderId): StockEvent => ({
  type: 'StockReleased',
  data: { sku, orderId: id, quantity },
});
const deducted = (quantity: number, id = orderId): StockEvent => ({
  type: 'StockDeducted',
  data: { sku, orderId: id, quantity },
});

describe('a SKU that was never received', () => {
  it('is untracked: it takes every reservation, release and deduction without an event', () => {
    expect(isTracked(given().state)).toBe(false);
    for (const command of [reserve(1_000_000), release(), deduct()]) given().when(command).thenNothing();
  });

  it('is tracked from its first receipt on', () => {
    given().when(receive(5)).then(received(5));
    expect(isTracked(given(received(5)).state)).toBe(true);
  });

  it('cannot be adjusted', () => {
    given().when(adjust(1)).thenRejected('SKU_NOT_TRACKED');
  });
});

describe('reserving', () => {
  it('holds units while there are some', () => {
    given(received(5)).when(reserve(5)).then(reserved(5));
    given(received(5), reserved(3, otherOrderId)).when(reserve(2)).then(reserved(2));
  });

  it('is refused where fewer are available', () => {
    given(received(5))
      .when(reserve(6))
      .thenRejected('OUT_OF_STOCK', /6 .* 5 /);
    given(received(5), reserved(4, otherOrderId))
      .when(reserve(2))
      .thenRejected('OUT_OF_STOCK', /1 available/);
  });

  it('adds nothing for the same order, also after its deduction and though nothing is left', () => {
    given(received(5), reserved(5)).when(reserve(5)).thenNothing();
    given(received(5), reserved(5), deducted(5)).when(reserve(5)).thenNothing();
  });

  it('is refused after a release of the same order: its run came late', () => {
    given(received(5), reserved(2), released(2)).when(reserve(2)).thenRejected('RESERVATION_NOT_FOUND');
    given(received(5), released(0)).when(reserve(2)).thenRejected('RESERVATION_NOT_FOUND');
    given(received(5), released(0)).when(reserve(2, otherOrderId)).then(reserved(2, otherOrderId));
  });
});

describe('a reservation of an amended order', () => {
  it('follows it up, down, to nothing and back', () => {
    given(received(5), reserved(2)).when(change(5)).then(changed(5, 2));
    given(received(5), reserved(2)).when(change(1)).then(changed(1, 2));
    given(received(5), reserved(2)).when(change(0)).then(changed(0, 2));
    given(received(5), reserved(2), changed(0, 2))
      .when(change(4, 3))
      .then(changed(4, 0, 3));
    given(received(5)).when(change(4)).then(changed(4, 0));
    const { state } = given(received(5), reserved(2), changed(4, 2));
    expect(state).toMatchObject({ onHand: 5, reserved: 4 });
    given(received(5), reserved(2), changed(4, 2)).when(deduct()).then(deducted(4));
  });

  it('needs only what is more than it holds', () => {
    given(received(5), reserved(3), reserved(1, otherOrderId)).when(change(4)).then(changed(4, 3));
    given(received(5), reserved(3), reserved(1, otherOrderId))
      .when(change(5))
      .thenRejected('OUT_OF_STOCK', /2 more .* 1 available/);
  });

  it('is left alone by a repeat, by an earlier amendment that comes late, and by the late first reservation', () => {
    given(received(5), reserved(2), changed(3, 2)).when(change(3)).thenNothing();
    given(received(5), reserved(2), changed(3, 2, 3))
      .when(change(5, 2))
      .thenNothing();
    given(received(5), reserved(2), changed(0, 2, 3))
      .when(change(2, 2))
      .thenNothing();
    given(received(5), changed(0, 0)).when(reserve(2)).thenNothing();
    given(received(5)).when(change(0)).then(changed(0, 0));
  });

  it('is refused after a release, and has nothing to do after the deduction or on an untracked SKU', () => {
    given(received(5), reserved(2), released(2)).when(change(3)).thenRejected('RESERVATION_NOT_FOUND');
    given(received(5), reserved(2), deducted(2)).when(change(3)).thenNothing();
    given().when(change(3)).thenNothing();
    for (const bad of [-1, 1.5, NaN])
      given(received(5))
        .when(change(bad))
        .thenRejected('INVALID_VALUE', /^\/quantity/);
  });
});

describe('releasing', () => {
  it('frees what the order holds, once', () => {
    given(received(5), reserved(2)).when(release()).then(released(2));
    given(received(5), reserved(2), released(2)).when(release()).thenNothing();
    given(received(5), reserved(5), released(5)).when(reserve(5, otherOrderId)).then(reserved(5, otherOrderId));
  });

  it('leaves a tombstone where the order holds nothing', () => {
    given(received(5)).when(release()).then(released(0));
    given(received(5), released(0)).when(release()).thenNothing();
  });

  it('is refused once the units left', () => {
    given(received(5), reserved(2), deducted(2)).when(release()).thenRejected('RESERVATION_NOT_FOUND');
  });
});

describe('deducting', () => {
  it('takes what the order holds, once', () => {
    given(received(5), reserved(2)).when(deduct()).then(deducted(2));
    given(received(5), reserved(2), deducted(2)).when(deduct()).thenNothing();
    expect(given(received(5), reserved(2), deducted(2)).state).toMatchObject({ onHand: 3, reserved: 0 });
  });

  it('is refused without a reservation', () => {
    given(received(5)).when(deduct()).thenRejected('RESERVATION_NOT_FOUND');
    given(received(5), reserved(2), released(2)).when(deduct()).thenRejected('RESERVATION_NOT_FOUND');
    given(received(5), reserved(2, otherOrderId)).when(deduct()).thenRejected('RESERVATION_NOT_FOUND');
  });
});

describe('adjusting', () => {
  it('corrects the count down to what is reserved', () => {
    given(received(5)).when(adjust(3)).then(adjusted(3));
    given(received(5)).when(adjust(-5)).then(adjusted(-5));
    given(received(5), reserved(2)).when(adjust(-3)).then(adjusted(-3));
    given(received(5), reserved(2))
      .when(adjust(-4))
      .thenRejected('STOCK_RESERVED', /1 would remain, 2 are/);
    given(received(5)).when(adjust(-6)).thenRejected('STOCK_RESERVED');
  });
});

describe('a quantity', () => {
  it('is an integer from 1, a delta an integer other than 0, and all of it stays within 2^53-1', () => {
    for (const bad of [0, -1, 1.5, NaN, Infinity, 2 ** 53]) {
      given(received(5))
        .when(receive(bad))
        .thenRejected('INVALID_VALUE', /^\/quantity/);
      given(received(5))
        .when(reserve(bad))
        .thenRejected('INVALID_VALUE', /^\/quantity/);
      given()
        .when(reserve(bad))
        .thenRejected('INVALID_VALUE', /^\/quantity/);
    }
    for (const bad of [0, 0.5, NaN, -(2 ** 53)])
      given(received(5))
        .when(adjust(bad))
        .thenRejected('INVALID_VALUE', /^\/delta/);
    given(received(5))
      .when(receive(Number.MAX_SAFE_INTEGER))
      .thenRejected('INVALID_VALUE', /^\/quantity/);
    given(received(5))
      .when(adjust(Number.MAX_SAFE_INTEGER))
      .thenRejected('INVALID_VALUE', /^\/delta/);
  });
});

describe('the laws of stock', () => {
  // Few orders and units, so that they compete. Two of the ids share a bucket of the holds.
  const anyOrder = fc.constantFrom(orderId, otherOrderId, 'c1' as OrderId, 'd1' as OrderId);
  const anyQuantity = fc.integer({ min: 1, max: 6 });
  const anyCommand: fc.Arbitrary<StockCommand> = fc.oneof(
    anyQuantity.map(receive),
    fc.integer({ min: -6, max: 6 }).map(adjust),
    fc.tuple(anyQuantity, anyOrder).map(([quantity, id]) => reserve(quantity, id)),
    fc
      .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 2, max: 5 }), anyOrder)
      .map(([quantity, orderVersion, id]) => change(quantity, orderVersion, id)),
    anyOrder.map(release),
    anyOrder.map(deduct),
  );
  const anyCommands = fc.array(anyCommand, { maxLength: 40 });

  it('received + adjusted - deducted = on hand, and 0 <= reserved <= on hand, after every event', () => {
    fc.assert(
      fc.property(anyCommands, (commands) => {
        const history = historyOf(stockDecider, commands);
        for (let length = 1; length <= history.length; length += 1) {
          const past = history.slice(0, length);
          const state = foldAll(stockDecider, past);
          if (!isTracked(state)) throw new Error('an event without a receipt before');
          expect(state.onHand).toBe(past.reduce((total, event) => total + changeOf(event), 0));
          expect(state.reserved).toBeGreaterThanOrEqual(0);
          expect(state.reserved).toBe(heldBy(past));
          expect(availableOf(state)).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('an order that asks twice is served once', () => {
    fc.assert(
      fc.property(anyCommands, anyCommand, (commands, command) => {
        fc.pre('orderId' in command);
        const history = historyOf(stockDecider, commands);
        const first = given(...history).when(command).decision;
        expect(eventsOf(given(...history, ...eventsOf(first)).when(command).decision)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('events are of their schemas', () => {
    fc.assert(
      fc.property(anyCommands, (commands) => {
        for (const { type, data } of historyOf(stockDecider, commands)) expect(isValidEvent(type, data)).toBe(true);
      }),
    );
  });

  it('any history folds', () => {
    const anyEvent = fc
      .record({
        orderId: anyOrder,
        quantity: fc.integer({ min: 0, max: 9 }),
        type: fc.constantFrom('Received', 'Reserved', 'Released', 'Deducted', 'Adjusted'),
      })
      .map(
        ({ type, quantity, orderId: id }) =>
          ({ type: `Stock${type}`, data: { sku, orderId: id, quantity, delta: -quantity, reason: '' } }) as StockEvent,
      );
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
        expect(isTracked(foldAll(stockDecider, events))).toBe(events.some(({ type }) => type === 'StockReceived'));
      }),
    );
  });

  it('a state stays as it was while others follow from it', () => {
    const before = given(received(9), reserved(1)).state;
    stockDecider.evolve(stockDecider.evolve(before, reserved(2, otherOrderId)), released(1));
    if (!isTracked(before)) throw new Error('untracked');
    expect(holdOf(before, orderId)).toEqual({ status: 'Reserved', quantity: 1, orderVersion: 1 });
    expect(holdOf(before, otherOrderId)).toBeNull();
  });

  function changeOf(event: StockEvent): number {
    if (event.type === 'StockReceived') return event.data.quantity;
    if (event.type === 'StockAdjusted') return event.data.delta;
    return event.type === 'StockDeducted' ? -event.data.quantity : 0;
  }

  function heldBy(history: readonly StockEvent[]): number {
    return history.reduce((held, event) => {
      if (event.type === 'StockReserved') return held + event.data.quantity;
      if (event.type === 'StockReservationChanged') return held + event.data.quantity - event.data.previousQuantity;
      return event.type === 'StockReleased' || event.type === 'StockDeducted' ? held - event.data.quantity : held;
    }, 0);
  }
});
