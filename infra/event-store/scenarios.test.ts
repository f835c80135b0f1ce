import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The scenarios that README.md must answer for: the group's letter and its numbers. */
const groups = { A: 14, E: 18, F: 11, I: 14, K: 15 };

const suites = [
  'contract/append.ts',
  'contract/commands.ts',
  'contract/reading.ts',
  'contract/lifecycle.ts',
  'postgres.test.ts',
  '../event-feed/contract.ts',
  '../event-feed/contract/log.ts',
  '../event-feed/run-consumer.test.ts',
];

describe('the table of scenarios in README.md', () => {
  it('has one row for each known scenario', () => {
    const wanted = Object.entries(groups).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    );
    expect(rows().map(({ id }) => id)).toEqual(wanted);
  });

  it('names tests that exist, or says why a scenario is not ours', () => {
    const titles = new Set(suites.flatMap(titlesIn));
    expect(titles.size).toBeGreaterThan(60);
    const missing = rows().flatMap(({ id, shownBy }) =>
      shownBy
        .filter((title) => !titles.has(title) && !/^not ours: \w.{10,}/.test(title))
        .map((title) => `${id}: ${title}`),
    );
    expect(missing).toEqual([]);
  });
});

type Row = { readonly id: string; readonly shownBy: readonly string[] };

function rows(): readonly Row[] {
  const lines = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, id = '', , shownBy = ''] = line.split('|').map((cell) => cell.trim());
    return /^[A-Z]\d+$/.test(id) ? [{ id, shownBy: shownBy.split(' · ') }] : [];
  });
}

/** The first text given to `it(…)` and to `it.each(…)(…)`. */
function titlesIn(file: string): readonly string[] {
  const source = readFileSync(join(import.meta.dirname, file), 'utf8');
  const titles = source.matchAll(/\bit(?:\.each\(\[[^]*?\n\s*\]\))?\(\s*(['"])((?:(?!\1).)+)\1/g);
  return [...titles].map(([, , title = '']) => title);
}
