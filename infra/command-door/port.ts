import type { Rejection } from '../../schemas/decision.ts';
import type { CommandId, EventId, TenantId } from '../../schemas/ids.ts';

/** A command on its way to the service that decides it. */
export type CommandEnvelope<C> = {
  readonly tenantId: TenantId;
  readonly commandId: CommandId;
  readonly command: C;
  readonly correlationId: string;
  readonly causationId: EventId | null;
};

export type CommandAnswer =
  | { readonly outcome: 'accepted'; readonly version: number }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection };

/** `signal` ends the wait for an answer; what was sent may have its effect all the same. */
export type DoorCall = { readonly signal: AbortSignal };

/**
 * How one service asks another: a command with a synchronous, durable answer. In one process a function call; across
 * processes HTTP. The same command id is answered as the first time. Throws OperationalFailure; a retry is safe.
 */
export type CommandDoor<C, Answer = CommandAnswer> = {
  readonly send: (envelope: CommandEnvelope<C>, call?: DoorCall) => Promise<Answer>;
};
