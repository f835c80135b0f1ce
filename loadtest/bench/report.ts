import type { Comparison, Spread } from './pairs.ts';
import type { Verdict } from './row.ts';
import type { MeasuredRow } from './results.ts';

/** One row of a run, for the terminal. */
export function reportRow(row: MeasuredRow): string {
  const [before, after] = row.load;
  const loads = `load average ${before.toFixed(1)} before, ${after.toFixed(1)} after`;
  return [
    `${row.name}: ${row.title} (${Math.round(row.tookSeconds)} s, ${loads})`,
    ...row.comparisons.map((comparison) => `  ${reportComparison(comparison)}`),
    ...Object.entries(row.facts).map(([name, value]) => `  ${name}: ${value}`),
    ...row.verdicts.map((verdict) => `  ${reportVerdict(verdict)}`),
  ].join('\n');
}

function reportComparison(comparison: Comparison): string {
  const { candidate, ratio, kept, pairs, unit, drift } = comparison;
  const found = ratio === null ? 'no ratio: the limit drifted' : spreadText(ratio, 2);
  const rates = `${rateText(comparison.candidateRate)} against ${rateText(comparison.limitRate)} ${unit}`;
  return `${candidate}: ${found}; ${rates}; drift up to ${drift.max.toFixed(2)}; ${kept} of ${pairs.length} pairs kept`;
}

function reportVerdict({ what, aim, value, verdict }: Verdict): string {
  return `${verdict.toUpperCase()} ${what}: ${value === null ? 'not settled' : numberText(value)} (aim ${aim})`;
}

export function spreadText({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${min.toFixed(digits)}–${max.toFixed(digits)}]`;
}

/** The median, in whole units. */
export function rateText({ median }: Spread): string {
  return Math.round(median).toLocaleString('en');
}

export function numberText(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}
