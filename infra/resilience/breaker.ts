import CircuitBreaker from 'opossum';
import { isOperationalFailure, OperationalFailure } from '../failures.ts';

export type BreakerPolicy = {
  /** Opens at this share of failures, exactly: 60 means 60 % and more. */
  readonly failurePercentMin: number;
  /** … of at least this many completed calls within the window. */
  readonly callsMin: number;
  readonly windowMs: number;
  readonly windowBuckets: number;
  /** Stays open this long, then lets one trial through. */
  readonly openMs: number;
};

export type BreakerState = 'closed' | 'open' | 'half-open';

export type BreakerOptions = BreakerPolicy & {
  readonly name: string;
  readonly onStateChange?: ((state: BreakerState) => void) | undefined;
};

export type Breaker = <T>(attempt: () => Promise<T>) => Promise<T>;

/**
 * One opossum breaker for one dependency of this process (N processes each need their own failures to open).
 *
 * opossum divides failures by calls *begun* in its window, so that slow failures dilute themselves (200 calls that all
 * timed out never opened it; notes/libraries.md). Here a call is therefore reported to opossum when it *completed*;
 * only the half-open trial goes through it from its start. Calls that end after the breaker opened are not reported:
 * a straggler's success must not close it.
 *
 * Only retryable OperationalFailures count as failures; a business answer or a refusal shows that the dependency works.
 * @throws OperationalFailure BREAKER_OPEN (retryable; nothing was sent)
 */
export function openBreaker(options: BreakerOptions): Breaker {
  const breaker = new CircuitBreaker(settle, {
    name: options.name,
    timeout: false,
    rollingCountTimeout: options.windowMs,
    rollingCountBuckets: options.windowBuckets,
    volumeThreshold: options.callsMin,
    // opossum opens *above* its threshold, and we at it: exactly 60 % of 40 stayed closed with 60.
    errorThresholdPercentage: options.failurePercentMin - 0.01,
    resetTimeout: options.openMs,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    errorFilter: (error: unknown) => !isDependencyFailure(error),
  });
  breaker.on('open', () => options.onStateChange?.('open'));
  breaker.on('halfOpen', () => options.onStateChange?.('half-open'));
  breaker.on('close', () => options.onStateChange?.('closed'));

  return (attempt) => {
    if (breaker.closed) return reported(breaker, options, attempt);
    if (breaker.halfOpen && breaker.pendingClose) return breaker.fire(attempt) as ReturnType<typeof attempt>;
    return Promise.reject(refusal(options.name));
  };
}

type Settling = CircuitBreaker<[attempt: () => Promise<unknown>]>;

function settle(attempt: () => Promise<unknown>): Promise<unknown> {
  return attempt();
}

async function reported<T>(breaker: Settling, options: BreakerOptions, attempt: () => Promise<T>): Promise<T> {
  const completed = attempt();
  await completed.catch(() => undefined);
  if (breaker.closed) {
    await breaker.fire(() => completed).catch(() => undefined);
    openIfDue(breaker, options);
  }
  return completed;
}

/**
 * opossum looks at its rate on a failure only; the twentieth call may be a success that completes the sample. Adding up
 * all of `breaker.stats` would cost 6 µs a call, so only the two counts are added.
 */
function openIfDue(breaker: Settling, { callsMin, failurePercentMin }: BreakerOptions): void {
  if (!breaker.closed) return;
  let [fires, failures] = [0, 0];
  for (const bucket of breaker.status.window) {
    fires += bucket.fires;
    failures += bucket.failures;
  }
  if (fires >= callsMin && failures * 100 >= failurePercentMin * fires) breaker.open();
}

function isDependencyFailure(error: unknown): boolean {
  return isOperationalFailure(error) && error.retryable;
}

function refusal(name: string): OperationalFailure {
  return new OperationalFailure('BREAKER_OPEN', `the breaker of ${name} is open`, { retryable: true });
}
