import { OperationalFailure } from '../failures.ts';

/** What every port method takes beside its request: the signal of this one attempt. */
export type Call = { readonly signal: AbortSignal };

export type TimeLimit = { readonly name: string; readonly timeoutMs: number; readonly outer?: AbortSignal | undefined };

/**
 * Runs one attempt under its own AbortController, so that a timeout aborts this attempt and no innocent one beside it
 * (opossum's shared controller did, nodeshift/opossum#861). Ends after `timeoutMs` even where the attempt ignores its
 * signal.
 * @throws OperationalFailure DEPENDENCY_TIMEOUT (retryable; the effect may have happened)
 */
export async function withTimeout<T>(attempt: (call: Call) => Promise<T>, limit: TimeLimit): Promise<T> {
  const controller = new AbortController();
  const expiry = Promise.withResolvers<never>();
  const expire = () => {
    const detail = `${limit.name} gave no answer within ${limit.timeoutMs} ms`;
    const failure = new OperationalFailure('DEPENDENCY_TIMEOUT', detail, { retryable: true });
    expiry.reject(failure);
    controller.abort(failure);
  };
  const timer = setTimeout(expire, limit.timeoutMs);
  const signal = limit.outer ? AbortSignal.any([limit.outer, controller.signal]) : controller.signal;
  try {
    return await Promise.race([attempt({ signal }), expiry.promise]);
  } finally {
    clearTimeout(timer);
  }
}
