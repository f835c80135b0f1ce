import { within } from '../within.ts';

/** A value, and how old it is; `isFresh: false`: it could not be taken again. */
export type Sample<Value> = { readonly value: Value; readonly ageMs: number; readonly isFresh: boolean };

/** The last sample; null: none was ever taken. Never fails. */
export type Sampler<Value> = () => Promise<Sample<Value> | null>;

export type SamplerOptions = {
  /** A sample is taken at most so often, however many scrape. 2,000 if absent. */
  readonly freshMs?: number;
  /** How long a scrape waits for a new one. 1,000 if absent. */
  readonly waitMaxMs?: number;
  /** Monotonic, ms. */
  readonly now?: () => number;
};

/**
 * A value that a database must be asked for, taken when somebody scrapes: nothing runs where nobody looks, one question
 * at a time is under way, and a database that hangs delays a scrape by `waitMaxMs`.
 */
export function openSampler<Value>(take: () => Promise<Value>, options: SamplerOptions = {}): Sampler<Value> {
  const { freshMs = 2_000, waitMaxMs = 1_000, now = () => performance.now() } = options;
  let last: { readonly value: Value; readonly takenAtMs: number } | null = null;
  let taking: Promise<void> | null = null;
  const again = async (): Promise<void> => {
    const takenAtMs = now();
    try {
      last = { value: await take(), takenAtMs };
    } catch {
      // Whoever works with the database meets the same failure and reports it; here the sample grows older.
    } finally {
      taking = null;
    }
  };
  return async () => {
    if (last === null || now() - last.takenAtMs > freshMs) await within(waitMaxMs, (taking ??= again()));
    if (last === null) return null;
    const ageMs = now() - last.takenAtMs;
    return { value: last.value, ageMs, isFresh: ageMs <= freshMs + waitMaxMs };
  };
}
