import { isOperationalFailure } from '../../../infra/failures.ts';
import type { BodyCheck } from '../../../infra/http-server/body-rules.ts';
import { unreachable } from '../../../schemas/decision.ts';
import type { ErrorCode } from '../../../schemas/error-codes.ts';
import type { CommandOutcome } from '../../../schemas/generated/messages.ts';
import type { HistoricalFact } from '../../../schemas/commands.ts';
import type { ReadCommand } from '../../../schemas/wire/command-record.ts';
import type { CommandCall, OrderCommandAnswer, OrderCommands } from '../open.ts';

/** What became of one attempt to have a command answered. */
export type Attempted =
  | { readonly kind: 'answered'; readonly outcome: CommandOutcome; readonly isNew: boolean }
  /** There is no such order: it may still come by another door. */
  | { readonly kind: 'not-found'; readonly outcome: CommandOutcome }
  /** The same command came by another door and has no answer yet. */
  | { readonly kind: 'in-progress' };

/** Failures of the command itself: asked again it would fail again. */
const hopeless: readonly ErrorCode[] = ['EVENT_TOO_LARGE', 'POISON_VALUE'];

/**
 * Asks the handlers of the HTTP door, by the same rules: one command has one answer on every door. `version` of an
 * outcome is 0 where the command was refused without looking at its order.
 * @throws OperationalFailure where asking again may help
 */
export function commandAnswerer(commands: OrderCommands, check: BodyCheck) {
  return async (read: ReadCommand, correlationId: string): Promise<Attempted> => {
    const { type, payload } = read.message;
    const refusal = check(type, payload);
    if (refusal !== null) return refused(read, refusal.code);
    const { tenantId, commandId } = read;
    try {
      const answer = await asked(commands, read, { tenantId, commandId, correlationId, keepsRefusals: true });
      return attempted(read, answer);
    } catch (error) {
      if (isOperationalFailure(error) && hopeless.includes(error.code)) return refused(read, error.code);
      throw error;
    }
  };
}

/** An answer that the command gets in any case, without its order. */
export function refused({ commandId, orderId }: ReadCommand, code: ErrorCode): Attempted {
  return { kind: 'answered', isNew: false, outcome: { commandId, orderId, outcome: 'rejected', code, version: 0 } };
}

/** The check of the payload made sure of what the schemas of HTTP ask beyond those of Avro. */
function asked(commands: OrderCommands, read: ReadCommand, call: CommandCall): Promise<OrderCommandAnswer> {
  const { message, orderId } = read;
  switch (message.type) {
    case 'PlaceOrder':
      return commands.place(call, message.payload);
    case 'BackfillOrder': {
      const { facts, ...order } = message.payload;
      return commands.backfill(call, order, facts as readonly HistoricalFact[]);
    }
    case 'AmendOrder':
      return commands.amend(call, orderId, message.payload);
    case 'CancelOrder':
      return commands.cancel(call, orderId, message.payload.reason);
    default:
      return unreachable(message);
  }
}

function attempted(read: ReadCommand, answer: OrderCommandAnswer): Attempted {
  const { commandId, orderId } = read;
  switch (answer.outcome) {
    case 'accepted': {
      const { version, replayed } = answer;
      return { kind: 'answered', isNew: !replayed, outcome: { commandId, orderId, outcome: 'accepted', version } };
    }
    case 'rejected': {
      const { code } = answer.rejection;
      const outcome = { commandId, orderId, outcome: 'rejected', code, version: answer.version } as const;
      return code === 'ORDER_NOT_FOUND'
        ? { kind: 'not-found', outcome }
        : { kind: 'answered', isNew: !answer.replayed, outcome };
    }
    case 'key-reused':
      return refused(read, 'IDEMPOTENCY_KEY_REUSED');
    case 'in-progress':
      return { kind: 'in-progress' };
    case 'version-mismatch':
      throw new Error('a command without If-Match was answered with a version mismatch');
  }
}
