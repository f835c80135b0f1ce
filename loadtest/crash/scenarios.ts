import type { Scenario } from './scenario.ts';
import { expiryWhileDown } from './scenarios/expiry-while-down.ts';
import { holdersKilled, holdersPaused } from './scenarios/holders-struck.ts';
import { importKilled } from './scenarios/import-killed.ts';
import { killedOften } from './scenarios/killed-often.ts';
import { nodeAndPostgresKilled, nodeKilled } from './scenarios/killed-once.ts';
import { termDrains } from './scenarios/term-drains.ts';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  nodeKilled,
  nodeAndPostgresKilled,
  killedOften,
  expiryWhileDown,
  importKilled,
  termDrains,
  holdersKilled,
  holdersPaused,
];
