import type { OrderDoorCommand } from '../../../schemas/commands.ts';
import type { FulfillmentStartedData } from '../../../schemas/generated/events.ts';
import {
  derivedCommandId,
  fulfillmentStream,
  type CommandId,
  type EventId,
  type OrderId,
  type TenantId,
} from '../../../schemas/ids.ts';
import type { CommandAnswer } from '../../../infra/command-door/port.ts';
import type { World } from '../ports.ts';
import type { Direction, StepResult } from '../saga-state.ts';

/** One attempt of one step, as it was recorded before this call. */
export type StepCall = {
  readonly tenantId: TenantId;
  readonly orderId: OrderId;
  readonly order: FulfillmentStartedData;
  readonly step: string;
  readonly direction: Direction;
  readonly attempt: number;
  /** `orderId/step/attempt`, and `orderId/step/attempt/undo/n` of an undo: what is asked twice under it happens once. */
  readonly effectKey: string;
  /** It may have been made before, by a process that died or without an answer: ask by the key first. */
  readonly isRepeat: boolean;
  /** Of the steps that succeeded and are not undone. */
  readonly results: Readonly<Record<string, StepResult>>;
  /** The run's result and key, for its undo. */
  readonly undoes: { readonly result: StepResult; readonly effectKey: string } | null;
  /** Why the saga turned back; null on the way forward. */
  readonly reason: string | null;
  readonly correlationId: string;
  readonly causationId: EventId | null;
};

export type StepOutcome =
  | { readonly outcome: 'succeeded'; readonly result: StepResult }
  /** The business's no. The step left nothing behind: there is nothing to undo. */
  | { readonly outcome: 'refused'; readonly code: string }
  /** Not there yet: ask again later. */
  | { readonly outcome: 'waiting' }
  /** There is no way on and none back: an operator decides. */
  | { readonly outcome: 'stuck'; readonly code: string; readonly detail: string };

/**
 * Both directions may be called again with the same call, after any crash, and then do nothing that was done.
 * They throw OperationalFailure where the world does not help; anything else that they throw is a bug.
 */
export type SagaStep = {
  readonly name: string;
  readonly run: (call: StepCall) => Promise<StepOutcome>;
  readonly undo: (call: StepCall) => Promise<StepOutcome>;
};

export function succeeded(result: StepResult = {}): StepOutcome {
  return { outcome: 'succeeded', result };
}

export function refused(code: string): StepOutcome {
  return { outcome: 'refused', code };
}

export function stuck(code: string, detail: string): StepOutcome {
  return { outcome: 'stuck', code, detail };
}

/** The id of a command of this attempt: the same after a crash, another for another attempt. */
export function commandIdOf({ orderId, step, direction, attempt }: StepCall, what: string): CommandId {
  return derivedCommandId(fulfillmentStream(orderId), `${step}/${direction}/${attempt}/${what}`);
}

/** Asks the order; a refusal is an answer. */
export function askOrder(
  { orders }: Pick<World, 'orders'>,
  call: StepCall,
  ask: { readonly what: string; readonly command: OrderDoorCommand },
): Promise<CommandAnswer> {
  const { tenantId, correlationId, causationId } = call;
  return orders.send({
    tenantId,
    commandId: commandIdOf(call, ask.what),
    command: ask.command,
    correlationId,
    causationId,
  });
}

/** Tells the order what happened. Facts are never refused: a refusal is a bug, and quarantines this one saga. */
export async function tellOrder(
  world: Pick<World, 'orders'>,
  call: StepCall,
  fact: { readonly what: string; readonly command: OrderDoorCommand },
): Promise<void> {
  const answer = await askOrder(world, call, fact);
  if (answer.outcome === 'rejected') {
    throw new Error(`the order refused the fact ${fact.command.type} with ${answer.rejection.code}`);
  }
}

/** What an earlier step left for this one; its absence is a bug. */
export function resultOf(result: StepResult | undefined, name: string): string {
  const value = result?.[name];
  if (value === undefined) throw new Error(`no earlier step left ${name}`);
  return value;
}
