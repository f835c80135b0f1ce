import { setTimeout as sleep } from 'node:timers/promises';
import { isOperationalFailure, type OperationalFailure } from '../failures.ts';
import type { Lease, Leases } from './port.ts';

export type LeaseChange =
  | { readonly lease: string; readonly what: 'held'; readonly token: number }
  /** `lost`: another may hold it now. `released`: given up at the end. */
  | { readonly lease: string; readonly what: 'lost' | 'released' }
  /** `unreachable`: the table does not answer, told once until it does. `failed`: the work did; it starts again. */
  | { readonly lease: string; readonly what: 'unreachable' | 'failed'; readonly failure: OperationalFailure };

export type RunLeasedOptions = {
  readonly leases: Pick<Leases, 'tryAcquire'>;
  readonly name: string;
  readonly signal: AbortSignal;
  /** The work: it ends soon after its signal, which is aborted at the end and when the lease is lost. */
  readonly run: (signal: AbortSignal, token: number) => Promise<void>;
  readonly observe?: (change: LeaseChange) => void;
  /** How often a free lease is looked for. 500 ms if absent, a quarter more or less by chance. */
  readonly tryEveryMs?: number;
};

/**
 * Works while it holds the lease, and waits for it otherwise, until the signal is aborted or the work is done. Work that
 * fails with a retryable OperationalFailure gives the lease up, for another process may fare better, and tries again.
 * Rejects with anything else that the work rejects with.
 */
export async function runLeased(options: RunLeasedOptions): Promise<void> {
  const { name, signal, observe = () => undefined, tryEveryMs = 500 } = options;
  for (;;) {
    const lease = await acquired({ ...options, observe, tryEveryMs });
    if (lease === null) return;
    observe({ lease: name, what: 'held', token: lease.token });
    const end = await worked(options, lease);
    await lease.release();
    observe({ lease: name, what: lease.signal.aborted ? 'lost' : 'released' });
    if ('bug' in end) throw end.bug;
    const isDone = end.failure === null && !lease.signal.aborted;
    if (signal.aborted || isDone) return;
    if (end.failure !== null) {
      observe({ lease: name, what: 'failed', failure: end.failure });
      await restedOrAborted(tryEveryMs, signal);
    }
  }
}

type Waiting = RunLeasedOptions & Required<Pick<RunLeasedOptions, 'observe' | 'tryEveryMs'>>;

/** null: the signal was aborted. */
async function acquired({ leases, name, signal, observe, tryEveryMs }: Waiting): Promise<Lease | null> {
  let isUnreachable = false;
  while (!signal.aborted) {
    try {
      const lease = await leases.tryAcquire(name);
      if (lease !== null) return lease;
      isUnreachable = false;
    } catch (error) {
      if (!isOperationalFailure(error) || !error.retryable) throw error;
      if (!isUnreachable) observe({ lease: name, what: 'unreachable', failure: error });
      isUnreachable = true;
    }
    await restedOrAborted(tryEveryMs, signal);
  }
  return null;
}

type End = { readonly failure: OperationalFailure | null } | { readonly bug: unknown };

async function worked({ run, signal }: RunLeasedOptions, lease: Lease): Promise<End> {
  try {
    await run(AbortSignal.any([signal, lease.signal]), lease.token);
    return { failure: null };
  } catch (error) {
    return isOperationalFailure(error) && error.retryable ? { failure: error } : { bug: error };
  }
}

/** Those that wait for one lease do not ask all at the same moment. */
async function restedOrAborted(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
}
