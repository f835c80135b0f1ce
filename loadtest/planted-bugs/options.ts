import { parseArgs } from 'node:util';

import type { PlantedBug } from './bugs.ts';

export type PlantOptions = {
  readonly bugs: readonly PlantedBug[];
  /** The whole suite for each bug, not the named test alone. */
  readonly allTests: boolean;
  readonly json: boolean;
};

export const usage = `usage: npm run test:planted-bugs -- [name …] [--all-tests] [--json] [--list]

  name …       only these bugs (by default every one)
  --all-tests  runs the whole suite for each bug (by default the test that is named for it)
  --json       prints the result as one JSON document
  --list       prints the bugs and the tests that catch them, and runs nothing`;

/** @throws Error that says what is wrong with the arguments */
export function readOptions(args: readonly string[], known: readonly PlantedBug[]): PlantOptions | 'help' | 'list' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'all-tests': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.list) return 'list';
  return { bugs: chosen(positionals, known), allTests: values['all-tests'], json: values.json };
}

function chosen(names: readonly string[], known: readonly PlantedBug[]): readonly PlantedBug[] {
  const unknown = names.filter((name) => !known.some((bug) => bug.name === name));
  if (unknown.length > 0) {
    throw new Error(`no bug ${unknown.join(', ')}; there are ${known.map(({ name }) => name).join(', ')}`);
  }
  return names.length === 0 ? known : known.filter(({ name }) => names.includes(name));
}
