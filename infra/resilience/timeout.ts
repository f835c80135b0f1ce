import { startAwakeTimer } from '../awake-timer.ts';
import { OperationalFailure } from '../failures.ts';

/** What every port method takes beside its request: the signal of this one attempt. */
export type Call = { readonly signal: AbortSignal };

export type TimeLimit = { readonly name: string; readonly timeoutMs: number; readonly outer?: AbortSignal | undefined };

/** A process that hardly runs waits so many times as long, and then no longer. */
const stretchMax = 3;

/**
 * Runs one attempt under its own AbortController, so that a timeout aborts this attempt and no innocent one beside it
 * (opossum's shared controller did, nodeshift/opossum#861). Ends after `timeoutMs` even where the attempt ignores its
 * signal. Time in which this process did not run is not counted: our own stall, with every call in flight at once,
 * would open a breaker for a minute on a dependency that is well.
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
  const { timeoutMs } = limit;
  const cancel = startAwakeTimer({ timeoutMs, atMostMs: stretchMax * timeoutMs, expire });
  const signal = limit.outer ? AbortSignal.any([limit.outer, controller.signal]) : controller.signal;
  try {
    return await Promise.race([attempt({ signal }), expiry.promise]);
  } finally {
    cancel();
  }
}
