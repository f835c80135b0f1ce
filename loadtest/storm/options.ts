import { parseArgs } from 'node:util';

export type StormOptions = {
  readonly orders: number;
  readonly seed: number;
  /** Whether the folder stays after the run. */
  readonly keep: boolean;
  /** Placements in a second; null: 70 % of what the machine is measured to take. */
  readonly rate: number | null;
  readonly strikeEveryMs: number;
  /** Processes of each struck role; with two, the one that works is struck and the other takes over. */
  readonly instances: number;
  /** Of orders that pay by card and are carried to delivery. */
  readonly cardShare: number;
};

/**
 * A card order costs eight calls of gateways on its way to delivery; one that waits for its slip has its risk assessed and
 * its stock reserved, and stands still. With this share the sagas, not the doors, are what two cores are busy with last.
 */
const cardShareDefault = 0.02;

export const usage = `usage: npm run test:storm -- [--orders n] [--seed n] [--keep] [--rate n] [--strike-every-ms n] [--instances n] [--card-share x]

  --orders n           placements of the storm, 500 to 1000000 (100000 by default)
  --seed n             repeats the orders and the order of the strikes of an earlier run (by default a new one)
  --keep               leaves the data folder and the logs where they are
  --rate n             placements in a second, 1 to 20000 (by default 70 % of the maximum, which is measured first)
  --strike-every-ms n  1000 to 600000 (10000 by default)
  --instances n        processes of projector and fulfillment, 1 or 2 (1 by default: nobody takes over but the restarted)
  --card-share x       orders that are carried to delivery, 0 to 1 (${cardShareDefault} by default); the others wait for their payment`;

/** @throws Error that says what is wrong with the arguments */
export function readOptions(args: readonly string[]): StormOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ orders: text, seed: text, rate: text, instances: text, 'strike-every-ms': text, 'card-share': text },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const whole = (name: keyof typeof values, otherwise: number, range: Range): number =>
    wholeOf(name, values[name], { otherwise, ...range });
  const cardShare = Number(values['card-share'] ?? cardShareDefault);
  if (!(cardShare >= 0 && cardShare <= 1)) throw new Error('--card-share is a number from 0 to 1');
  return {
    orders: whole('orders', 100_000, { min: 500, max: 1_000_000 }),
    seed: whole('seed', Math.floor(Math.random() * 1_000_000), { min: 0, max: 2 ** 31 }),
    keep: values.keep,
    rate: values.rate === undefined ? null : whole('rate', 0, { min: 1, max: 20_000 }),
    strikeEveryMs: whole('strike-every-ms', 10_000, { min: 1_000, max: 600_000 }),
    instances: whole('instances', 1, { min: 1, max: 2 }),
    cardShare,
  };
}

type Range = { readonly min: number; readonly max: number };

function wholeOf(
  name: string,
  value: string | boolean | undefined,
  { otherwise, min, max }: Range & { readonly otherwise: number },
): number {
  const number = value === undefined ? otherwise : Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Error(`--${name} is a whole number from ${min} to ${max}, not ${String(value)}`);
}
