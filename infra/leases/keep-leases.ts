import type { Holding, Leases, LeaseTable } from './port.ts';

export type LeaseTimes = {
  /** What a dead holder's successor waits for at most, besides its own next try. */
  readonly ttlMs: number;
  /** Several renewals fit into a lease, so that one that fails loses nothing. */
  readonly renewEveryMs: number;
};

/** A takeover is to take less than 8 s: 4 s, and the rest for the next try and the first batch on a busy machine. */
export const defaultTimes: LeaseTimes = { ttlMs: 4_000, renewEveryMs: 1_000 };

/** Renews what is held, all in one statement a second, and tells a holder of its loss by its own monotonic clock. */
export function keepLeases(table: LeaseTable, owner: string, times: LeaseTimes = defaultTimes): Leases {
  const { ttlMs } = times;
  const renewals = openRenewals(table, times);
  return {
    tryAcquire: async (name) => {
      if (renewals.isHeld(name)) return null;
      const askedAt = performance.now();
      const token = await table.acquire({ name, owner, ttlMs });
      if (token === null) return null;
      const held = renewals.add({ name, token }, askedAt);
      return {
        name,
        token,
        signal: held.lost.signal,
        release: async () => {
          if (renewals.drop(held)) await table.release([{ name, token }]).catch(() => undefined);
        },
      };
    },
    close: async () => {
      renewals.dropAll();
      await table.close();
    },
  };
}

type Held = Holding & { readonly lost: AbortController; end: NodeJS.Timeout };

type Renewals = {
  readonly isHeld: (name: string) => boolean;
  readonly add: (holding: Holding, askedAt: number) => Held;
  /** False: it was not held any more. */
  readonly drop: (lease: Held) => boolean;
  readonly dropAll: () => void;
};

function openRenewals(table: LeaseTable, { ttlMs, renewEveryMs }: LeaseTimes): Renewals {
  const held = new Map<string, Held>();
  let next: NodeJS.Timeout | undefined;

  const drop = (lease: Held): boolean => {
    clearTimeout(lease.end);
    if (held.get(lease.name) !== lease) return false;
    held.delete(lease.name);
    if (held.size === 0) clearTimeout(next);
    return true;
  };
  const lose = (lease: Held): void => {
    if (drop(lease)) lease.lost.abort();
  };
  /** Counted from before the question: the table's end, set when it was answered, is never earlier. */
  const endAfter = (askedAt: number, lease: () => Held): NodeJS.Timeout =>
    onceAt(askedAt + ttlMs, (isLate) => (isLate ? askAtLast : lose)(lease()));
  /** A process that was stopped sleeps through the end. Where nobody took the lease over, the table lets us keep it. */
  const askAtLast = (lease: Held): void => {
    lease.end = onceAt(performance.now() + asleepAfterMs, () => lose(lease));
    renewIn(0);
  };
  const renewAll = async (): Promise<void> => {
    const askedAt = performance.now();
    const asked = [...held.values()];
    // Until its end a lease outlives a table that does not answer.
    const kept = await table.renew(asked, ttlMs).catch(() => null);
    for (const lease of asked) {
      if (kept === null || held.get(lease.name) !== lease) continue;
      clearTimeout(lease.end);
      if (kept.has(lease.name)) lease.end = endAfter(askedAt, () => lease);
      else lose(lease);
    }
    if (held.size > 0) renewIn(renewEveryMs - (performance.now() - askedAt));
  };
  const renewIn = (ms: number): void => {
    clearTimeout(next);
    next = setTimeout(() => void renewAll(), Math.max(0, ms)).unref();
  };

  return {
    isHeld: (name) => held.has(name),
    add: (holding, askedAt) => {
      const lease: Held = { ...holding, lost: new AbortController(), end: endAfter(askedAt, () => lease) };
      held.set(holding.name, lease);
      if (held.size === 1) renewIn(renewEveryMs);
      return lease;
    },
    drop,
    dropAll: () => {
      for (const lease of held.values()) drop(lease);
    },
  };
}

/** A timer that is so late was not late for want of a processor. Also what the table has for its answer then. */
const asleepAfterMs = 1_000;

/** @param at of `performance.now()` */
function onceAt(at: number, act: (isLate: boolean) => void): NodeJS.Timeout {
  const fire = (): void => act(performance.now() - at >= asleepAfterMs);
  return setTimeout(fire, Math.max(0, at - performance.now())).unref();
}
