import { adviceOf, isOperationalFailure } from '../../infra/failures.ts';

/** What the command needed was not there or did not hold: one line on stderr, exit 1. */
export class CommandFailure extends Error {}

/** The exit codes of every verb. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** What went wrong, in one line. A bug names itself; LOG_LEVEL=debug shows where it is. */
export function toLine(error: unknown): string {
  if (isOperationalFailure(error)) return oneLine(adviceOf(error));
  if (error instanceof CommandFailure || isSystemError(error)) return oneLine(error.message);
  return oneLine(`bug: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
}

/** What the operating system refused, as a file that is not there. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** Nothing that a file or an answer holds may start a line of its own, or color, clear or rename the terminal. */
export function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\p{Cc}+\s*/gu, ' ');
}
