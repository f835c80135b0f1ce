import { isOperationalFailure, type OperationalFailure } from '../../../infra/failures.ts';
import type { Turn } from '../../../infra/kafka/turns.ts';
import type { IntakeLimits } from './limits.ts';

export type Insistence = {
  readonly limits: Pick<IntakeLimits, 'retryFirstMs' | 'retryMaxMs'>;
  readonly random: () => number;
  /** Told of each failure that is waited out. */
  readonly onFailure: (failure: OperationalFailure) => void;
};

/**
 * Repeats an attempt until the world helps, with full waits and half of each random, so that what failed together comes
 * back apart. There is no last attempt: the window around it is what is bounded, and a partition pauses behind it.
 * @returns null where the turn was lost first
 * @throws what no repeat would help
 */
export async function insist<Result>(
  { limits, random, onFailure }: Insistence,
  turn: Turn,
  attempt: () => Promise<Result>,
): Promise<Result | null> {
  for (let failures = 0; !turn.isLost(); failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isOperationalFailure(error) || !error.retryable) throw error;
      onFailure(error);
      const waitMs = Math.min(limits.retryFirstMs * 2 ** Math.min(failures, 20), limits.retryMaxMs);
      await turn.rest(waitMs * (0.5 + random() / 2));
    }
  }
  return null;
}
