import type { FaultReport, Skipped } from './fault-report.ts';

const listedMax = 10;

/** The one line that every fault run prints, so that later runs compare; what does not hold follows it. */
export function toFaultLines(id: string, report: FaultReport | Skipped): readonly string[] {
  if ('skipped' in report) return [`SKIPPED ${id}: ${report.skipped}`];
  const { seed, ops, acked, lost, dup, ambiguous, unresolved, readyMs, consistentMs, facts, problems } = report;
  const fields = {
    seed,
    ops,
    acked,
    lost,
    dup,
    ambiguous,
    unresolved,
    t_ready: seconds(readyMs),
    t_consistent: consistentMs === null ? 'never' : seconds(consistentMs),
    ...facts,
    result: problems.length === 0 ? 'ok' : 'failed',
  };
  const line = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  const more = problems.length - listedMax;
  return [
    `FAULT ${id} ${line.join(' ')}`,
    ...problems.slice(0, listedMax).map((problem) => `  does not hold: ${problem}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}

export function holds(report: FaultReport | Skipped): boolean {
  return 'skipped' in report || report.problems.length === 0;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)}s`;
}
