import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { errorCodes, errorRow, type ErrorCode } from '../../schemas/error-codes.ts';
import { OperationalFailure } from '../failures.ts';
import type { CommandAnswer } from './port.ts';

/** One door for one kind of target. Not part of the public API: only our own processes call it. */
export type DoorName = 'orders' | 'stock';

export function doorPath(name: DoorName): string {
  return `/internal/v1/commands/${name}`;
}

const code = Type.Unsafe<ErrorCode>(Type.Enum(Object.keys(errorCodes)));
export const rejectedShape = Type.Object({
  outcome: Type.Literal('rejected'),
  rejection: Type.Object({ code, detail: Type.String() }),
});

const answerShape = Compile(
  Type.Union([
    Type.Object({ outcome: Type.Literal('accepted'), version: Type.Integer({ minimum: 0 }) }),
    rejectedShape,
  ]),
);

/** null: not an answer of a door for orders. */
export function readCommandAnswer(value: unknown): CommandAnswer | null {
  return answerShape.Check(value) ? value : null;
}

/**
 * What `transact` throws, and whether the same command may be sent again. A door answers them as problems; any other
 * status tells of the way there, not of the command.
 */
const retryableByCode: Readonly<Partial<Record<ErrorCode, boolean>>> = {
  STORE_UNAVAILABLE: true,
  OUTCOME_UNKNOWN: true,
  OVERLOADED: true,
  CONFLICT_RETRIES_EXHAUSTED: true,
  IDEMPOTENCY_KEY_IN_PROGRESS: true,
  EVENT_TOO_LARGE: false,
  POISON_VALUE: false,
};

const problemShape = Compile(Type.Object({ code }));

/** The failure that a door's problem stands for, so that a caller cannot tell it from one of its own process. */
export function readDoorFailure(status: number, text: string): OperationalFailure | null {
  const problem = parsed(text);
  if (!problemShape.Check(problem)) return null;
  const retryable = retryableByCode[problem.code];
  if (retryable === undefined || errorRow(problem.code).status !== status) return null;
  return new OperationalFailure(problem.code, 'said the service that was asked', { retryable });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
