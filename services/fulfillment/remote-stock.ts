import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { CommandDoor } from '../../infra/command-door/port.ts';
import { rejectedShape } from '../../infra/command-door/wire-format.ts';
import type { ReservationCommand } from '../../schemas/commands.ts';
import type { Inventory, StockRejected, StockRequest } from './ports.ts';

export type RemoteStockAnswer =
  StockRejected | { readonly outcome: 'reserved' | 'untracked' | 'released' | 'deducted' };

const answerShape = Compile(
  Type.Union([Type.Object({ outcome: Type.Enum(['reserved', 'untracked', 'released', 'deducted']) }), rejectedShape]),
);

/** null: not an answer of a door for stock. */
export function readStockAnswer(value: unknown): RemoteStockAnswer | null {
  return answerShape.Check(value) ? value : null;
}

/** The stock of another process, in the saga's words. */
export function remoteInventory(door: CommandDoor<ReservationCommand, RemoteStockAnswer>): Inventory {
  const ask = async <Outcome extends string>(
    request: StockRequest,
    command: ReservationCommand,
    outcomes: readonly Outcome[],
  ): Promise<{ readonly outcome: Outcome } | StockRejected> => {
    const { tenantId, commandId, correlationId, causationId } = request;
    const answer = await door.send({ tenantId, commandId, command, correlationId, causationId });
    if (answer.outcome === 'rejected') return answer;
    const outcome = outcomes.find((known) => known === answer.outcome);
    if (outcome === undefined) throw new Error(`the stock answered ${command.type} with ${answer.outcome}`);
    return { outcome };
  };
  const held = ['reserved', 'untracked'] as const;
  return {
    reserve: (request) => {
      const { sku, orderId, quantity } = request;
      return ask(request, { type: 'ReserveStock', sku, orderId, quantity }, held);
    },
    change: (request) => {
      const { sku, orderId, quantity, orderVersion } = request;
      return ask(request, { type: 'ChangeReservation', sku, orderId, quantity, orderVersion }, held);
    },
    release: (request) => {
      const { sku, orderId } = request;
      return ask(request, { type: 'ReleaseStock', sku, orderId }, ['released']);
    },
    deduct: (request) => {
      const { sku, orderId } = request;
      return ask(request, { type: 'DeductStock', sku, orderId }, ['deducted']);
    },
  };
}
