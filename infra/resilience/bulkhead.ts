import { OperationalFailure } from '../failures.ts';

export type Bulkhead = <T>(attempt: () => Promise<T>) => Promise<T>;

/**
 * Lets at most `concurrencyMax` attempts wait for one dependency, so that a slow one cannot hold every saga. There is
 * no queue: who is refused comes back later with its own backoff.
 * @throws OperationalFailure OVERLOADED (retryable; nothing was sent)
 */
export function openBulkhead({
  name,
  concurrencyMax,
}: {
  readonly name: string;
  readonly concurrencyMax: number;
}): Bulkhead {
  let running = 0;
  return async (attempt) => {
    if (running >= concurrencyMax) {
      const detail = `${concurrencyMax} calls already wait for ${name}`;
      throw new OperationalFailure('OVERLOADED', detail, { retryable: true });
    }
    running += 1;
    try {
      return await attempt();
    } finally {
      running -= 1;
    }
  };
}
