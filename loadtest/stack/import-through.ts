import { existsSync } from 'node:fs';

import { openHttpClient, type HttpClient } from '../orders/http-client.ts';
import { readFeed } from '../orders/read-orders.ts';
import { between, seededRandom } from '../orders/seeded-random.ts';
import type { FaultReport, Skipped } from '../system/fault-report.ts';
import { differencesOf } from '../system/import-report.ts';
import { startVerb, verify, type RunningVerb } from '../system/order-center.ts';
import { until } from '../system/until.ts';
import type { StackRunOptions } from './options.ts';
import { comparePublished } from './published-events.ts';
import { launchStack, type RunningStack } from './running-stack.ts';
import type { Scenario, Strike } from './scenarios.ts';

export type ImportRun = Pick<StackRunOptions, 'olistDir' | 'seed' | 'keep'> & { readonly say: (line: string) => void };

const strikesWithinMs = 180_000;
const backWithinMs = 90_000;
/** An order or two more or less than the scenario says. */
const jitterMax = 200;
/** One effect, order on the feed, views and snapshots are what the log says. */
const required = ['I2', 'I6', 'I9', 'I15', 'I18', 'I19'] as const;

/** Imports the Olist files through a stack, strikes while it does, and looks at what is there in the end. */
export async function importThrough(scenario: Scenario, run: ImportRun): Promise<FaultReport | Skipped> {
  const { olistDir } = run;
  if (olistDir === null || !existsSync(olistDir)) {
    return { skipped: `there are no Olist files in ${olistDir ?? ''}: give --olist DIR or OLIST_DIR` };
  }
  const stack = await launchStack({ args: scenario.args, keep: run.keep });
  const client = openHttpClient({ url: stack.url, tenantId: 'default', socketsMax: 4 });
  try {
    run.say(`ready at ${stack.url}, data in ${stack.dataDir}`);
    return await importAndStrike({ stack, client, scenario, olistDir }, run);
  } finally {
    client.close();
    await stack.close();
  }
}

type Importing = {
  readonly stack: RunningStack;
  readonly client: HttpClient;
  readonly scenario: Scenario;
  readonly olistDir: string;
};

async function importAndStrike(importing: Importing, { seed, say }: ImportRun): Promise<FaultReport> {
  const { stack, client, scenario, olistDir } = importing;
  const begun = performance.now();
  const verb = startVerb(stack, ['import', 'olist', olistDir, '--json']);
  const struck = await strikeAll(importing, verb, { random: seededRandom(seed), say });
  const lastStrikeAt = performance.now();
  const ended = await verb.ended;
  const importMs = performance.now() - begun;
  const report = differencesOf(ended);
  say(`the import ended with ${ended.code} after ${(importMs / 1_000).toFixed(1)} s`);
  const problems = [...struck, ...report.problems, ...(await verify(stack, { required }))];
  const consistentMs = performance.now() - (scenario.strikes.length > 0 ? lastStrikeAt : begun);
  const published = await comparePublished((stack.urls.kafka ?? '').replace('kafka://', ''), client);
  const again = differencesOf(await startVerb(stack, ['import', 'olist', olistDir, '--json']).ended);
  const code = await stack.stop();
  return {
    seed,
    ops: report.orders,
    acked: report.imported + report.alreadyThere,
    lost: Math.max(0, again.orders - again.alreadyThere),
    dup: again.imported,
    ambiguous: 0,
    unresolved: report.refused,
    readyMs: stack.readyMs,
    consistentMs: problems.length === 0 ? consistentMs : null,
    facts: {
      strikes: scenario.strikes.map(({ target }) => target).join('+') || 'none',
      t_import: `${(importMs / 1_000).toFixed(1)}s`,
      events: published.events,
      records: published.records,
    },
    problems: [
      ...problems,
      ...published.problems,
      ...again.problems.map((problem) => `run again, ${problem}`),
      ...(code === 0 ? [] : [`the stack ended with ${code}`]),
    ],
  };
}

type Striking = { readonly random: () => number; readonly say: (line: string) => void };

/** @returns a sentence for each strike that proves nothing, and for each process that did not come back */
async function strikeAll(importing: Importing, verb: RunningVerb, striking: Striking): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const strike of importing.scenario.strikes) problems.push(...(await strikeOnce(importing, verb, { strike, ...striking }))); // prettier-ignore
  return problems;
}

async function strikeOnce(
  { stack, client }: Importing,
  verb: RunningVerb,
  { strike, random, say }: Striking & { readonly strike: Strike },
): Promise<readonly string[]> {
  const { target } = strike;
  const afterOrders = strike.afterOrders + between(random, 0, jitterMax);
  let isImporting = true;
  void verb.ended.then(() => (isImporting = false));
  const counted = async (): Promise<number> => (await readFeed(client, 'types=OrderPlaced')).length;
  const passed = await until(async () => !isImporting || (await counted()) >= afterOrders, {
    withinMs: strikesWithinMs,
    everyMs: 200,
  });
  if (!(isImporting as boolean) || !passed) return [`the import had ended, or never came, to where ${target} was to be killed`];
  const name = target === 'projector' ? 'projector-1' : target;
  await stack.kill(name);
  const at = performance.now();
  say(`killed ${name} after ${await counted()} orders`);
  if (!(await until(() => stack.isBack(name), { withinMs: backWithinMs, everyMs: 50 }))) {
    return [`${name} was not started again within ${backWithinMs} ms`];
  }
  say(`${name} was started again ${((performance.now() - at) / 1_000).toFixed(1)} s later`);
  return [];
}
