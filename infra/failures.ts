import { errorRow, type ErrorCode } from '../schemas/error-codes.ts';

/**
 * The world did not help: a store, gateway or disk failed. Thrown with a code of the one table and whether the same
 * call may be repeated; caught by the one loop that can act on it.
 */
export class OperationalFailure extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, detail: string, options: { readonly retryable: boolean; readonly cause?: unknown }) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.name = 'OperationalFailure';
    this.code = code;
    this.retryable = options.retryable;
  }
}

export function isOperationalFailure(error: unknown, code?: ErrorCode): error is OperationalFailure {
  return error instanceof OperationalFailure && (code === undefined || error.code === code);
}

/** What went wrong and what to do about it, in one line, for whoever reads a terminal. */
export function adviceOf(failure: OperationalFailure): string {
  return `${failure.message.replaceAll(/\s+/g, ' ')}. ${errorRow(failure.code).help}`;
}
