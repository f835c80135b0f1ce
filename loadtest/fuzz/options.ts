import { parseArgs } from 'node:util';

export type FuzzOptions = {
  /** Generated requests an operation and phase, at most. */
  readonly examples: number;
  readonly seed: number;
  readonly keep: boolean;
};

export const usage = `usage: npm run test:fuzz -- [--examples n] [--seed n] [--keep]

  --examples n  requests that are made up for each operation and phase, 1 to 10000 (30 by default)
  --seed n      repeats an earlier run (by default a new one)
  --keep        leaves the data folder, the logs and the reports where they are`;

/** @throws Error that says what is wrong with the arguments */
export function readOptions(args: readonly string[]): FuzzOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      examples: { type: 'string', default: '30' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    examples: whole('examples', values.examples, { min: 1, max: 10_000 }),
    seed: whole('seed', values.seed, { min: 0, max: 2 ** 31 }),
    keep: values.keep,
  };
}

function whole(name: string, text: string, range: { readonly min: number; readonly max: number }): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= range.min && value <= range.max) return value;
  throw new Error(`--${name} is a whole number from ${range.min} to ${range.max}, not ${text}`);
}
