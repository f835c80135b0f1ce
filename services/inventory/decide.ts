import type {
  AdjustStock,
  ChangeReservation,
  DeductStock,
  ReceiveStock,
  ReleaseStock,
  ReserveStock,
  StockCommand,
} from '../../schemas/commands.ts';
import { accept, reject, unreachable, type Decision } from '../../schemas/decision.ts';
import type { StockEvent } from '../../schemas/generated/events.ts';
import { sum } from '../../schemas/money.ts';
import { availableOf, holdOf, isTracked, type StockState } from './stock.ts';

/** Every command of a SKU. The detail of an INVALID_VALUE begins with the JSON pointer of the field. */
export function decide(command: StockCommand, state: StockState): Decision<StockEvent> {
  switch (command.type) {
    case 'ReceiveStock':
      return receiveStock(command, state);
    case 'AdjustStock':
      return adjustStock(command, state);
    case 'ReserveStock':
      return reserveStock(command, state);
    case 'ChangeReservation':
      return changeReservation(command, state);
    case 'ReleaseStock':
      return releaseStock(command, state);
    case 'DeductStock':
      return deductStock(command, state);
    default:
      return unreachable(command);
  }
}

/** From the first receipt on the SKU is tracked. Rejects with INVALID_VALUE. */
export function receiveStock({ sku, quantity }: ReceiveStock, state: StockState): Decision<StockEvent> {
  if (!isQuantity(quantity)) return reject('INVALID_VALUE', quantityProblem);
  if (isTracked(state) && sum([state.onHand, quantity]) === null) {
    return reject('INVALID_VALUE', '/quantity: with what is on hand it is above 2^53-1');
  }
  return accept({ type: 'StockReceived', data: { sku, quantity } });
}

/** Rejects with INVALID_VALUE, SKU_NOT_TRACKED, STOCK_RESERVED (fewer would remain than are reserved). */
export function adjustStock({ sku, delta, reason }: AdjustStock, state: StockState): Decision<StockEvent> {
  if (!Number.isSafeInteger(delta) || delta === 0) return reject('INVALID_VALUE', '/delta: an integer other than 0');
  if (!isTracked(state)) return reject('SKU_NOT_TRACKED', sku);
  const remaining = sum([state.onHand, delta]);
  if (remaining === null) return reject('INVALID_VALUE', '/delta: with what is on hand it is beyond 2^53-1');
  if (remaining < state.reserved) {
    return reject('STOCK_RESERVED', `${remaining} would remain, ${state.reserved} are reserved`);
  }
  return accept({ type: 'StockAdjusted', data: { sku, delta, reason } });
}

/**
 * Holds units for an order, once: a repeat is accepted, also after the deduction. On an untracked SKU it is accepted
 * without an event; the caller sees by `isTracked`.
 * Rejects with INVALID_VALUE, OUT_OF_STOCK, RESERVATION_NOT_FOUND (this order released before: its late run is refused).
 */
export function reserveStock({ sku, orderId, quantity }: ReserveStock, state: StockState): Decision<StockEvent> {
  if (!isQuantity(quantity)) return reject('INVALID_VALUE', quantityProblem);
  if (!isTracked(state)) return accept();
  const hold = holdOf(state, orderId);
  if (hold !== null)
    return hold.status === 'Released' ? reject('RESERVATION_NOT_FOUND', `${sku} was released`) : accept();
  const available = availableOf(state);
  if (available < quantity) return reject('OUT_OF_STOCK', `${quantity} of ${sku} asked, ${available} available`);
  return accept({ type: 'StockReserved', data: { sku, orderId, quantity } });
}

/**
 * An amended order holds another quantity from now on: what it keeps stays held, so that nobody takes it in between. A
 * repeat, or an amendment that a later one overtook, adds nothing. Holding 0 is no release: it may want some again.
 * Rejects with INVALID_VALUE, OUT_OF_STOCK, RESERVATION_NOT_FOUND (this order released before: its late run is refused).
 */
export function changeReservation(command: ChangeReservation, state: StockState): Decision<StockEvent> {
  const { sku, orderId, quantity, orderVersion } = command;
  if (quantity !== 0 && !isQuantity(quantity)) return reject('INVALID_VALUE', '/quantity: an integer from 0 to 2^53-1');
  if (!isTracked(state)) return accept();
  const hold = holdOf(state, orderId);
  if (hold?.status === 'Released') return reject('RESERVATION_NOT_FOUND', `${sku} was released`);
  if (hold?.status === 'Deducted') return accept();
  const previousQuantity = hold?.quantity ?? 0;
  // Where it holds nothing, 0 is recorded all the same: it fences off what comes late.
  if (hold !== null && (hold.orderVersion >= orderVersion || previousQuantity === quantity)) return accept();
  const more = quantity - previousQuantity;
  const available = availableOf(state);
  if (more > available) return reject('OUT_OF_STOCK', `${more} more of ${sku} asked, ${available} available`);
  return accept({
    type: 'StockReservationChanged',
    data: { sku, orderId, quantity, previousQuantity, orderVersion },
  });
}

/**
 * Frees what the order holds. Where it holds nothing the release of 0 is a tombstone, so that its reservation, should
 * it still be on the way, is refused. Rejects with RESERVATION_NOT_FOUND once the units left the building.
 */
export function releaseStock({ sku, orderId }: ReleaseStock, state: StockState): Decision<StockEvent> {
  if (!isTracked(state)) return accept();
  const hold = holdOf(state, orderId);
  switch (hold?.status) {
    case undefined:
      return accept({ type: 'StockReleased', data: { sku, orderId, quantity: 0 } });
    case 'Reserved':
      return accept({ type: 'StockReleased', data: { sku, orderId, quantity: hold.quantity } });
    case 'Released':
      return accept();
    case 'Deducted':
      return reject('RESERVATION_NOT_FOUND', `${sku} was deducted`);
  }
}

/** Takes what the order holds out of the building. On an untracked SKU there is nothing to take. Rejects with RESERVATION_NOT_FOUND. */
export function deductStock({ sku, orderId }: DeductStock, state: StockState): Decision<StockEvent> {
  if (!isTracked(state)) return accept();
  const hold = holdOf(state, orderId);
  switch (hold?.status) {
    case 'Reserved':
      return accept({ type: 'StockDeducted', data: { sku, orderId, quantity: hold.quantity } });
    case 'Deducted':
      return accept();
    case undefined:
    case 'Released':
      return reject('RESERVATION_NOT_FOUND', `${sku} is not reserved for this order`);
  }
}

const quantityProblem = '/quantity: an integer from 1 to 2^53-1';

function isQuantity(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
