import { loadavg } from 'node:os';

/** The disks and neighbours of a shared machine wander: a pair whose limit moved more than this tells nothing. */
const driftMax = 1.35;

/** Runs once and gives a rate, in units a second. */
export type Leg = { readonly name: string; readonly run: () => Promise<number> };

/** One candidate between two runs of its limit. */
export type Pair = {
  readonly limitBefore: number;
  readonly candidate: number;
  readonly limitAfter: number;
  /** The candidate's rate by the mean of its two limits. */
  readonly ratio: number;
  /** The faster limit by the slower one. */
  readonly drift: number;
  readonly kept: boolean;
  /** Of the last minute, when the pair ended. */
  readonly load: number;
};

export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export type Comparison = {
  readonly candidate: string;
  readonly limit: string;
  readonly unit: string;
  readonly pairs: readonly Pair[];
  readonly kept: number;
  /** Over the kept pairs; null where fewer than half were kept. */
  readonly ratio: Spread | null;
  readonly candidateRate: Spread;
  readonly limitRate: Spread;
  /** Of the limit, over all pairs. */
  readonly drift: Spread;
};

export type Chain = {
  readonly limit: Leg;
  readonly candidates: readonly Leg[];
  readonly unit: string;
  readonly reps: number;
  readonly say: (line: string) => void;
};

/**
 * Limit–candidate–limit, `reps` times for each candidate; the limit after one candidate is the limit before the next.
 * What drifts slowly thus meets both alike, and what drifts fast is seen and dropped.
 */
export async function compare(chain: Chain): Promise<readonly Comparison[]> {
  const { limit, candidates, reps, unit, say } = chain;
  const pairs = new Map<string, Pair[]>(candidates.map(({ name }) => [name, []]));
  for (let rep = 1; rep <= reps; rep += 1) {
    let before = await limit.run();
    for (const candidate of candidates) {
      const rate = await candidate.run();
      const after = await limit.run();
      const pair = pairOf(before, rate, after);
      pairs.get(candidate.name)?.push(pair);
      say(`  ${rep}/${reps} ${candidate.name}: ${describe(pair, unit)}`);
      before = after;
    }
  }
  return candidates.map(({ name }) =>
    comparisonOf(pairs.get(name) ?? [], { candidate: name, limit: limit.name, unit }),
  );
}

function pairOf(limitBefore: number, candidate: number, limitAfter: number): Pair {
  const ratio = candidate / ((limitBefore + limitAfter) / 2);
  const drift = Math.max(limitBefore, limitAfter) / Math.min(limitBefore, limitAfter);
  return { limitBefore, candidate, limitAfter, ratio, drift, kept: drift <= driftMax, load: loadavg()[0] ?? 0 };
}

function describe({ limitBefore, candidate, limitAfter, ratio, drift, kept, load }: Pair, unit: string): string {
  const rates = [limitBefore, candidate, limitAfter].map((rate) => Math.round(rate)).join(' – ');
  const fate = kept ? '' : ', dropped';
  return `${rates} ${unit}, ratio ${ratio.toFixed(2)}, drift ${drift.toFixed(2)}${fate}, load ${load.toFixed(1)}`;
}

function comparisonOf(
  pairs: readonly Pair[],
  names: { readonly candidate: string; readonly limit: string; readonly unit: string },
): Comparison {
  const kept = pairs.filter((pair) => pair.kept);
  return {
    ...names,
    pairs,
    kept: kept.length,
    ratio: kept.length * 2 < pairs.length ? null : spreadOf(kept.map(({ ratio }) => ratio)),
    candidateRate: spreadOf(pairs.map(({ candidate }) => candidate)),
    limitRate: spreadOf(pairs.flatMap(({ limitBefore, limitAfter }) => [limitBefore, limitAfter])),
    drift: spreadOf(pairs.map(({ drift }) => drift)),
  };
}

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = sorted.length / 2;
  const median = Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
  return { median, min: at(0), max: at(sorted.length - 1) };
}
