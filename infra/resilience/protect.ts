import { type ErrorCode } from '../../schemas/error-codes.ts';
import { isOperationalFailure } from '../failures.ts';
import { openBreaker, type BreakerPolicy, type BreakerState } from './breaker.ts';
import { openBulkhead } from './bulkhead.ts';
import { openRetry, type RetryClock, type RetryPolicy } from './retry.ts';
import { withTimeout, type Call } from './timeout.ts';

/** Every limit of one dependency. */
export type ProtectPolicy = RetryPolicy & {
  /** The dependency's name in failures and metrics. */
  readonly name: string;
  /** Of one attempt, not of the call; below the breaker's window, so that it sees what it counts. */
  readonly timeoutMs: number;
  /** Attempts that may wait for the dependency at the same time. */
  readonly concurrencyMax: number;
  readonly breaker: BreakerPolicy;
  readonly observer?: Observer;
  readonly clock?: RetryClock;
};

/** Where metrics hang on; neither method may throw. */
export type Observer = {
  readonly onAttempt?: (attempt: ObservedAttempt) => void;
  readonly onStateChange?: (change: { readonly dependency: string; readonly state: BreakerState }) => void;
};

/** `number` counts from 1 within a call; `INTERNAL` stands for a bug. */
export type ObservedAttempt = {
  readonly dependency: string;
  readonly method: string;
  readonly number: number;
  readonly outcome: 'answered' | ErrorCode;
  readonly durationMs: number;
};

/** The contract's limits: 800 ms an attempt, 10 % retries, open at 60 % of 20 within 1 s, for 60 s. */
export const defaultLimits = {
  timeoutMs: 800,
  attemptsMax: 3,
  backoffBaseMs: 50,
  backoffMaxMs: 1000,
  budget: { earnedPerCall: 0.1, reserve: 10 },
  concurrencyMax: 64,
  breaker: { failurePercentMin: 60, callsMin: 20, windowMs: 1000, windowBuckets: 10, openMs: 60_000 },
} as const satisfies Omit<ProtectPolicy, 'name'>;

/**
 * Wraps every method of a port: retry around bulkhead around breaker around the timeout of one attempt. The port stays
 * the same port, so use-case code never knows. One call of this is one breaker: call it once per dependency.
 * @param policy the name, and every limit that differs from `defaultLimits`
 * @throws OperationalFailure what the port throws, DEPENDENCY_TIMEOUT, BREAKER_OPEN, OVERLOADED (all retryable)
 */
export function protect<Port extends Methods>(
  port: Port,
  policy: Pick<ProtectPolicy, 'name'> & Partial<ProtectPolicy>,
): Port {
  const limits: ProtectPolicy = { ...defaultLimits, ...policy };
  const { name, timeoutMs, observer } = limits;
  const bulkhead = openBulkhead(limits);
  const retry = openRetry(limits, limits.clock);
  const breaker = openBreaker({
    name,
    ...limits.breaker,
    onStateChange: (state) => observer?.onStateChange?.({ dependency: name, state }),
  });
  const guard = ([method, run]: [string, Method]): [string, Method] => {
    const attempt = (request: never, outer?: AbortSignal) =>
      bulkhead(() => breaker(() => withTimeout((call) => run(request, call), { name, timeoutMs, outer })));
    const guarded = (request: never, call?: Call) =>
      retry((number) => observed({ limits, method, number }, () => attempt(request, call?.signal)), call?.signal);
    return [method, guarded];
  };
  return Object.fromEntries(Object.entries<Method>(port).map(guard)) as Port;
}

type Method = (request: never, call?: Call) => Promise<unknown>;
type Methods = { readonly [method: string]: Method };
type Observed = { readonly limits: ProtectPolicy; readonly method: string; readonly number: number };

async function observed<T>({ limits, method, number }: Observed, attempt: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const report = (outcome: ObservedAttempt['outcome']) =>
    limits.observer?.onAttempt?.({
      dependency: limits.name,
      method,
      number,
      outcome,
      durationMs: performance.now() - startedAt,
    });
  try {
    const answer = await attempt();
    report('answered');
    return answer;
  } catch (error) {
    report(isOperationalFailure(error) ? error.code : 'INTERNAL');
    throw error;
  }
}
