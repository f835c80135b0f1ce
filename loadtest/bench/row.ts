import type { Comparison } from './pairs.ts';
import type { ScratchPostgres } from './scratch-postgres.ts';

/** Where every row is measured and how long. */
export type BenchContext = {
  /** Length of a limit leg, in seconds. */
  readonly seconds: number;
  /** Limit–candidate–limit pairs of each comparison. */
  readonly reps: number;
  readonly postgres: ScratchPostgres;
  /** Options for Node of the children that are measured, as `--cpu-prof`. */
  readonly execArgv: readonly string[];
  readonly say: (line: string) => void;
};

/** `missed` is a measurement; `unsettled` says that too many pairs were dropped to tell. */
export type Verdict = {
  readonly what: string;
  readonly aim: string;
  readonly value: number | null;
  readonly verdict: 'held' | 'missed' | 'unsettled';
};

/** What one row found: comparisons against a limit of the same run, and single numbers in named units. */
export type Finding = {
  readonly verdicts: readonly Verdict[];
  readonly comparisons: readonly Comparison[];
  readonly facts: Readonly<Record<string, number | string>>;
};

export type BenchRow = {
  readonly name: string;
  /** What it measures, in one sentence. */
  readonly title: string;
  measure(context: BenchContext): Promise<Finding>;
};

export function atLeast(what: string, value: number | null, floor: number): Verdict {
  return { what, aim: `≥ ${floor}`, value, verdict: value === null ? 'unsettled' : value >= floor ? 'held' : 'missed' };
}

export function below(what: string, value: number | null, ceiling: number): Verdict {
  return {
    what,
    aim: `< ${ceiling}`,
    value,
    verdict: value === null ? 'unsettled' : value < ceiling ? 'held' : 'missed',
  };
}
