import { parseArgs } from 'node:util';

import type { BenchRow } from './row.ts';

export type BenchOptions = {
  readonly rows: readonly BenchRow[];
  readonly seconds: number;
  readonly reps: number;
  /** Where the results go; null: a file of its own under loadtest/results. */
  readonly json: string | null;
  readonly profileDir: string | null;
};

export const usage = `usage: npm run bench -- [row …] [--quick] [--seconds n] [--reps n] [--json FILE] [--cpu-prof DIR]
       npm run bench -- --write-docs     writes the newest results into docs/performance.md

  --quick      two short pairs of each comparison: for wiring, not for numbers
  --seconds n  length of a limit leg (1 by default)
  --reps n     limit-candidate-limit pairs of each comparison (5 by default)
  --json FILE  where the results go (by default a file under loadtest/results)
  --cpu-prof DIR  Node's CPU profiles of the measured processes`;

const full = { seconds: 1, reps: 5 };
const quick = { seconds: 0.25, reps: 2 };

export type Request = BenchOptions | 'write-docs' | 'help';

/** @throws Error that says what is wrong with the arguments */
export function readOptions(args: readonly string[], known: readonly BenchRow[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      reps: { type: 'string' },
      json: { type: 'string' },
      'cpu-prof': { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values['write-docs']) return 'write-docs';
  const form = values.quick ? quick : full;
  return {
    rows: chosen(positionals, known),
    seconds: bounded('seconds', values.seconds ?? String(form.seconds), { min: 0.1, max: 30 }),
    reps: Math.round(bounded('reps', values.reps ?? String(form.reps), { min: 1, max: 50 })),
    json: values.json ?? null,
    profileDir: values['cpu-prof'] ?? null,
  };
}

function chosen(names: readonly string[], known: readonly BenchRow[]): readonly BenchRow[] {
  const unknown = names.filter((name) => !known.some((row) => row.name === name));
  if (unknown.length > 0) {
    throw new Error(`no row ${unknown.join(', ')}; there are ${known.map(({ name }) => name).join(', ')}`);
  }
  return names.length === 0 ? known : known.filter(({ name }) => names.includes(name));
}

function bounded(name: string, text: string, range: { readonly min: number; readonly max: number }): number {
  const value = Number(text);
  if (value >= range.min && value <= range.max) return value;
  throw new Error(`--${name} is a number from ${range.min} to ${range.max}, not ${text}`);
}
