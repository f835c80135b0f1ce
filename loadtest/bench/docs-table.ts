import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

import type { Comparison } from './pairs.ts';
import { numberText, rateText, spreadText } from './report.ts';
import { readNewestResults, type MeasuredRow, type Results } from './results.ts';
import { rows } from './rows.ts';

const page = join(import.meta.dirname, '..', '..', 'docs', 'performance.md');
const begin = '<!-- bench: begin -->';
const end = '<!-- bench: end -->';

/**
 * Puts the newest results of all rows between the two marks of docs/performance.md.
 * @returns what it wrote from
 * @throws Error where there are no results, or the page has no marks
 */
export async function writeDocs(): Promise<string> {
  const { name, results } = readNewestResults(rows.map((row) => row.name));
  const text = readFileSync(page, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error('docs/performance.md has lost its bench marks');
  const table = [begin, '', describeRun(name, results), '', ...tablesOf(results), end].join('\n');
  const written = `${text.slice(0, from)}${table}${text.slice(to + end.length)}`;
  writeFileSync(page, await format(written, { ...(await resolveConfig(page)), filepath: page }));
  return name;
}

function describeRun(name: string, { date, commit, machine, settings }: Results): string {
  const on = `${machine.cores} cores (${machine.model}), ${machine.memoryGb} GB, Node ${machine.node}, PostgreSQL ${machine.postgres}`;
  const how = `limit legs of ${settings.seconds} s, ${settings.reps} pairs`;
  return `From \`loadtest/results/${name}\`: ${date}, commit ${commit}, ${on}; ${how}.`;
}

function tablesOf({ rows }: Results): readonly string[] {
  const verdicts = rows.flatMap((row) =>
    row.verdicts.map(({ what, aim, value, verdict }) => {
      const load = row.load.map((average) => average.toFixed(1)).join(' → ');
      return `| \`${row.name}\` | ${what} | ${aim} | ${value === null ? '–' : numberText(value)} | ${verdict} | ${load} |`;
    }),
  );
  return [
    '| row | what | aim | measured | verdict | load average |',
    '| --- | --- | --- | --- | --- | --- |',
    ...verdicts,
    '',
    ...rows.flatMap(detailsOf),
  ];
}

function detailsOf(row: MeasuredRow): readonly string[] {
  const facts = Object.entries(row.facts).map(([what, value]) => `- ${what}: ${value}`);
  return [
    `### ${row.name}: ${row.title}`,
    '',
    ...(row.comparisons.length === 0 ? [] : comparisonTable(row.comparisons)),
    ...(facts.length === 0 ? [] : [...facts, '']),
  ];
}

function comparisonTable(comparisons: readonly Comparison[]): readonly string[] {
  const lines = comparisons.map((comparison) => {
    const { candidate, limit, ratio, candidateRate, limitRate, drift, kept, pairs, unit } = comparison;
    const found = ratio === null ? '–' : spreadText(ratio, 2);
    const rates = `${rateText(candidateRate)} / ${rateText(limitRate)} ${unit}`;
    return `| ${candidate} | ${limit} | ${found} | ${rates} | ${drift.max.toFixed(2)} | ${kept} of ${pairs.length} |`;
  });
  return [
    '| candidate | limit | ratio: median [min–max] | medians | largest drift | pairs kept |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ];
}
