import type { Rejection } from '../../schemas/decision.ts';
import { OperationalFailure } from '../failures.ts';
import type { TransactAnswer } from './transact.ts';

export type Settled<State> =
  | Extract<TransactAnswer<State>, { readonly outcome: 'accepted' }>
  | { readonly outcome: 'rejected'; readonly rejection: Rejection };

/**
 * What one service of ours is told by another, which sends no If-Match: yes or no.
 * @throws OperationalFailure IDEMPOTENCY_KEY_IN_PROGRESS (retryable) where there is no answer yet
 */
export function settled<State>(answer: TransactAnswer<State>): Settled<State> {
  switch (answer.outcome) {
    case 'accepted':
      return answer;
    case 'rejected':
      return { outcome: 'rejected', rejection: answer.rejection };
    case 'key-reused': {
      const rejection = { code: 'IDEMPOTENCY_KEY_REUSED', detail: 'another payload came first' } as const;
      return { outcome: 'rejected', rejection };
    }
    case 'in-progress':
      throw new OperationalFailure('IDEMPOTENCY_KEY_IN_PROGRESS', 'a twin is still running', { retryable: true });
    case 'version-mismatch':
      throw new Error('a door without If-Match was answered with a version mismatch');
  }
}
