import type { ErrorCode } from '../../schemas/error-codes.ts';
import { isOperationalFailure } from '../failures.ts';
import { within } from '../within.ts';

/** One thing that must work before traffic may come. */
export type ReadinessCheck = {
  /** A word or two, shown to operators. */
  readonly name: string;
  /** Resolves or rejects within `readinessTimeoutMs`, else it counts as failed. */
  readonly check: () => Promise<void> | void;
};

/** `reason` is a code and never a message: messages name hosts and users. */
export type CheckResult = {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: ErrorCode | 'TIMEOUT' | 'INTERNAL';
};

/** A probe is answered within 2 s, whatever is asked behind it: one that waits longer than its orchestrator is none. */
const readinessTimeoutMs = 1_500;

/**
 * Asks all checks at once. A check that hangs is asked once, however many probes come: each of them would take another
 * connection of those that the recovered store is then to be used with.
 */
export function openReadiness(checks: readonly ReadinessCheck[]): () => Promise<readonly CheckResult[]> {
  const asks = checks.map(({ name, check }) => ({ name, ask: oneAtATime(check) }));
  return () =>
    Promise.all(
      asks.map(async ({ name, ask }) => {
        const answer = (await within(readinessTimeoutMs, ask())) ?? { reason: 'TIMEOUT' as const };
        return 'reason' in answer ? { name, ok: false, reason: answer.reason } : { name, ok: true };
      }),
    );
}

type Answer = { readonly ok: true } | { readonly reason: NonNullable<CheckResult['reason']> };

function oneAtATime(check: ReadinessCheck['check']): () => Promise<Answer> {
  let asking: Promise<Answer> | null = null;
  const ask = async (): Promise<Answer> => {
    try {
      await check();
      return { ok: true };
    } catch (error) {
      return { reason: isOperationalFailure(error) ? error.code : 'INTERNAL' };
    } finally {
      asking = null;
    }
  };
  return () => (asking ??= ask());
}
