import { unreachable } from '../../schemas/decision.ts';
import type { StockEvent } from '../../schemas/generated/events.ts';

/** One SKU of one tenant, in units. Until its first receipt it is untracked: it never sells out. */
export type StockState =
  | { readonly status: 'Untracked' }
  | {
      readonly status: 'Tracked';
      readonly onHand: number;
      /** Held for orders; part of what is on hand. */
      readonly reserved: number;
      readonly holds: Holds;
    };

export type TrackedStock = Extract<StockState, { readonly status: 'Tracked' }>;

/** What an order did with this SKU. `Released` is a tombstone: a late reservation of that order is refused. */
export type Hold =
  | {
      readonly status: 'Reserved';
      readonly quantity: number;
      /** Of the order after the amendment that it follows; 1: as placed. */
      readonly orderVersion: number;
    }
  | { readonly status: 'Released' }
  | { readonly status: 'Deducted' };

/**
 * By the first two characters of the order's id, then by the id: a state shares all but one small bucket with the one
 * before, so that folding a SKU of 10^5 orders does not copy 10^5 entries an event.
 */
type Holds = ReadonlyMap<string, ReadonlyMap<string, Hold>>;

export const untracked: StockState = { status: 'Untracked' };

/** Whether stock was ever received. Where not, a reservation is accepted without an event: there is nothing to hold. */
export function isTracked(state: StockState): state is TrackedStock {
  return state.status === 'Tracked';
}

export function availableOf({ onHand, reserved }: TrackedStock): number {
  return onHand - reserved;
}

export function holdOf({ holds }: TrackedStock, orderId: string): Hold | null {
  return holds.get(bucketOf(orderId))?.get(orderId) ?? null;
}

/** Total and silent: what cannot follow on a state leaves it as it is. */
export function evolve(state: StockState, event: StockEvent): StockState {
  if (event.type === 'StockReceived') return received(state, event.data.quantity);
  if (!isTracked(state)) return state;
  switch (event.type) {
    case 'StockAdjusted':
      return { ...state, onHand: state.onHand + event.data.delta };
    case 'StockReserved': {
      const { orderId, quantity } = event.data;
      const holds = withHold(state.holds, orderId, { status: 'Reserved', quantity, orderVersion: 1 });
      return { ...state, reserved: state.reserved + quantity, holds };
    }
    case 'StockReservationChanged': {
      const { orderId, quantity, previousQuantity, orderVersion } = event.data;
      const holds = withHold(state.holds, orderId, { status: 'Reserved', quantity, orderVersion });
      return { ...state, reserved: state.reserved + quantity - previousQuantity, holds };
    }
    case 'StockReleased': {
      const { orderId, quantity } = event.data;
      const holds = withHold(state.holds, orderId, { status: 'Released' });
      return { ...state, reserved: state.reserved - quantity, holds };
    }
    case 'StockDeducted': {
      const { orderId, quantity } = event.data;
      const holds = withHold(state.holds, orderId, { status: 'Deducted' });
      return { ...state, onHand: state.onHand - quantity, reserved: state.reserved - quantity, holds };
    }
    default:
      return unreachable(event);
  }
}

function received(state: StockState, quantity: number): StockState {
  if (!isTracked(state)) return { status: 'Tracked', onHand: quantity, reserved: 0, holds: new Map() };
  return { ...state, onHand: state.onHand + quantity };
}

function withHold(holds: Holds, orderId: string, hold: Hold): Holds {
  const bucket = bucketOf(orderId);
  return new Map(holds).set(bucket, new Map(holds.get(bucket)).set(orderId, hold));
}

function bucketOf(orderId: string): string {
  return orderId.slice(0, 2);
}
