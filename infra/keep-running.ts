import { setTimeout as sleep } from 'node:timers/promises';
import { isOperationalFailure, type OperationalFailure } from './failures.ts';

export type KeepRunningOptions = {
  readonly signal: AbortSignal;
  /** Which failures a restart cures; retryable ones if absent. */
  readonly canRestart?: (failure: OperationalFailure) => boolean;
  readonly onFailure?: (failure: OperationalFailure, restartInMs: number) => void;
  /** The wait after the first failure, doubled after each further one in a row. 100 ms if absent. */
  readonly backoffFirstMs?: number;
  /** 10,000 ms if absent. */
  readonly backoffMaxMs?: number;
};

/**
 * Runs something that goes on until the signal is aborted, and starts it again after a failure that a restart cures, ever
 * more slowly until it reports progress. Rejects with any other failure, and with a bug.
 */
export async function keepRunning(
  run: (noteProgress: () => void) => Promise<void>,
  options: KeepRunningOptions,
): Promise<void> {
  const { signal, canRestart = isRetryable } = options;
  const backoff = openBackoff(options);
  for (;;) {
    try {
      await run(backoff.reset);
      return;
    } catch (error) {
      if (!isOperationalFailure(error) || !canRestart(error)) throw error;
      if (signal.aborted) return;
      const restartInMs = backoff.nextMs();
      options.onFailure?.(error, restartInMs);
      if (!(await slept(restartInMs, signal))) return;
    }
  }
}

function isRetryable({ retryable }: OperationalFailure): boolean {
  return retryable;
}

/** Doubles up to the maximum; half of each wait is random, so that what failed together comes back apart. */
function openBackoff({ backoffFirstMs = 100, backoffMaxMs = 10_000 }: KeepRunningOptions): {
  readonly nextMs: () => number;
  readonly reset: () => void;
} {
  let waitMs = backoffFirstMs;
  return {
    nextMs: () => {
      const current = waitMs;
      waitMs = Math.min(waitMs * 2, backoffMaxMs);
      return Math.round(current * (0.5 + Math.random() / 2));
    },
    reset: () => {
      waitMs = backoffFirstMs;
    },
  };
}

/** False: aborted before the time was over. */
async function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    return await sleep(ms, true, { signal });
  } catch {
    return false;
  }
}
