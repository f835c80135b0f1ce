import type { OrderCommand } from '../../schemas/commands.ts';
import type { Rejection } from '../../schemas/decision.ts';
import { errorRow, type ErrorCode } from '../../schemas/error-codes.ts';
import type { OrderId } from '../../schemas/ids.ts';
import { decide } from './decide.ts';
import type { OrderState } from './order.ts';

/** What a caller may ask of an order now, or why not. */
export type Action =
  | { readonly action: string; readonly allowed: true }
  | { readonly action: string; readonly allowed: false; readonly code: ErrorCode; readonly reason: string };

type ActionRow = {
  /** The last part of the door's path. */
  readonly action: string;
  /** A command that any order in a right state accepts: what is decided on it holds of all of its kind. */
  readonly probe: (orderId: OrderId) => OrderCommand;
  /** Why it is not offered where it would be accepted and change nothing. */
  readonly done: ErrorCode;
};

/** Every door to an order that exists: a new one is one line here. */
const rows: readonly ActionRow[] = [
  {
    action: 'amend',
    probe: (orderId) => ({ type: 'AmendOrder', orderId, tenantId: '', amendment: { shippingAddress: {} } }),
    done: 'ORDER_CANCELLED',
  },
  {
    action: 'cancel',
    probe: (orderId) => ({ type: 'CancelOrder', orderId, reason: '' }),
    done: 'ORDER_CANCELLED',
  },
];

/** Decided by the decider itself, dry; null: there is no such order. */
export function actionsOf(orderId: OrderId, state: OrderState): readonly Action[] | null {
  if (state.status === 'Unplaced') return null;
  return rows.map(({ action, probe, done }) => {
    const decision = decide(probe(orderId), state);
    if (decision.outcome === 'rejected') return refused(action, decision.rejection);
    if (decision.events.length > 0) return { action, allowed: true };
    return refused(action, { code: done, detail: 'nothing would change' });
  });
}

function refused(action: string, { code, detail }: Rejection): Action {
  return { action, allowed: false, code, reason: `${errorRow(code).title}: ${detail}.` };
}
