import { parseArgs } from 'node:util';

import { scenarios, type Scenario } from './scenarios.ts';

export type StackRunOptions = {
  readonly scenarios: readonly Scenario[];
  readonly olistDir: string | null;
  readonly seed: number;
  /** Whether the folders stay after the run. */
  readonly keep: boolean;
};

export const usage = `usage: npm run test:stack -- [scenario …] [--olist DIR] [--seed n] [--keep]

  --olist DIR  the Olist files (by default the environment's OLIST_DIR, else ../shared/data/olist)
  --seed n     repeats the moments of an earlier run's kills (by default new ones)
  --keep       leaves the data folders and logs where they are

scenarios: ${scenarios.map(({ id }) => id).join(', ')}`;

/** @throws Error that says what is wrong with the arguments */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): StackRunOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      olist: { type: 'string' },
      seed: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const unknown = positionals.filter((id) => !scenarios.some((scenario) => scenario.id === id));
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(', ')}`);
  const { seed = String(Math.floor(Math.random() * 1_000_000)) } = values;
  if (!/^\d{1,9}$/.test(seed)) throw new Error(`--seed is a whole number, not ${seed}`);
  return {
    scenarios: positionals.length === 0 ? scenarios : scenarios.filter(({ id }) => positionals.includes(id)),
    olistDir: values.olist ?? env.OLIST_DIR ?? '../shared/data/olist',
    seed: Number(seed),
    keep: values.keep,
  };
}
