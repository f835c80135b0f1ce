import { parseArgs } from 'node:util';

import type { Scenario, ScenarioContext } from './scenario.ts';

export type CrashOptions = Omit<ScenarioContext, 'say'> & { readonly scenarios: readonly Scenario[] };

export const usage = `usage: npm run test:crash -- [scenario …] [--orders n] [--seed n] [--olist DIR] [--keep]

  --orders n   placements of each scenario, 50 to 20000 (1000 by default, 1500 of killed-often)
  --seed n     repeats the choices of an earlier run (by default a new one)
  --olist DIR  the Olist files for import-killed (by default the environment's OLIST_DIR)
  --keep       leaves the data folders and logs where they are`;

/** @throws Error that says what is wrong with the arguments */
export function readOptions(
  args: readonly string[],
  known: readonly Scenario[],
  env: NodeJS.ProcessEnv = process.env,
): CrashOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      orders: { type: 'string' },
      seed: { type: 'string' },
      olist: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { orders, seed = String(Math.floor(Math.random() * 1_000_000)), olist = env.OLIST_DIR ?? '' } = values;
  return {
    scenarios: chosen(positionals, known),
    orders: orders === undefined ? null : whole('orders', orders, { min: 50, max: 20_000 }),
    seed: whole('seed', seed, { min: 0, max: 2 ** 31 }),
    olistDir: olist === '' ? null : olist,
    keep: values.keep,
  };
}

function chosen(ids: readonly string[], known: readonly Scenario[]): readonly Scenario[] {
  const unknown = ids.filter((id) => !known.some((scenario) => scenario.id === id));
  if (unknown.length > 0) {
    throw new Error(`no scenario ${unknown.join(', ')}; there are ${known.map(({ id }) => id).join(', ')}`);
  }
  return ids.length === 0 ? known : known.filter(({ id }) => ids.includes(id));
}

function whole(name: string, text: string, range: { readonly min: number; readonly max: number }): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= range.min && value <= range.max) return value;
  throw new Error(`--${name} is a whole number from ${range.min} to ${range.max}, not ${text}`);
}
