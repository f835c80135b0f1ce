import { existsSync } from 'node:fs';

import { readFeed } from '../../orders/read-orders.ts';
import { seededRandom } from '../../orders/seeded-random.ts';
import { differencesOf } from '../../system/import-report.ts';
import type { ImportReport } from '../../system/import-report.ts';
import { startVerb, verify } from '../../system/order-center.ts';
import type { CliExit, RunningVerb } from '../../system/order-center.ts';
import { withShop } from '../placed-orders.ts';
import type { Shop } from '../placed-orders.ts';
import { identifyAll, killAtOnce } from '../../system/processes.ts';
import type { FaultReport } from '../../system/fault-report.ts';
import type { Scenario, ScenarioContext } from '../scenario.ts';
import { until } from '../../system/until.ts';

export const importKilled: Scenario = {
  id: 'import-killed',
  title: 'kill -9 of the importer, then of the server, in the middle of an import; the differences end empty',
  run: async (context) => {
    const { olistDir } = context;
    if (olistDir === null) return { skipped: 'no Olist files: give --olist DIR or OLIST_DIR' };
    if (!existsSync(olistDir)) return { skipped: `there is no folder ${olistDir}` };
    return withShop({ name: 'import-killed', keep: context.keep }, (shop) => importAndKill(shop, olistDir, context));
  },
};

/** As many as an import of 3,433 orders is sure to pass on its way. */
const importerDiesAfter = 500;
const serverDiesAfter = 1_500;
const importsMax = 3;
const passesWithinMs = 120_000;
const imported = 'types=OrderPlaced';
const everything = 'category=order,stock,fulfillment';

async function importAndKill(shop: Shop, folder: string, { seed, say }: ScenarioContext): Promise<FaultReport> {
  const { system, client } = shop;
  const args = ['import', 'olist', folder, '--json'];
  system.launch();
  await system.awaitReady();

  const first = startVerb(system, args);
  const firstAlive = await passes(shop, importerDiesAfter, first);
  await killAtOnce(identifyAll([first.pid]));
  say(`killed the importer after ${await countFeed(client, imported)} orders`);

  const second = startVerb(system, args);
  const secondAlive = await passes(shop, serverDiesAfter, second);
  await system.kill(seededRandom(seed)() < 0.5 ? 'node' : 'node-and-postgres');
  say('killed the server');
  system.launch();
  const readyMs = await system.awaitReady();
  const readyAt = performance.now();
  say(`ready again; ${await countFeed(client, imported)} orders are there`);

  const end = await importUntilDone(system, { args, running: second });
  const consistentMs = performance.now() - readyAt;
  const events = await countFeed(client, everything);
  const again = await startVerb(system, args).ended;
  const added = (await countFeed(client, everything)) - events;
  const report = differencesOf(again);
  return {
    seed,
    ops: report.orders,
    acked: report.imported + report.alreadyThere,
    lost: Math.max(0, report.orders - report.alreadyThere - report.imported),
    dup: Math.max(0, added),
    ambiguous: 0,
    unresolved: report.refused,
    readyMs,
    consistentMs: end.code === 0 ? consistentMs : null,
    facts: { events, imports_after_the_kill: end.runs },
    problems: [
      ...(firstAlive && secondAlive ? [] : ['an import ended before it was killed, so it proves nothing']),
      ...differencesOf(end).problems,
      ...report.problems.map((problem) => `run again, ${problem}`),
      ...secondRunProblems(report, added),
      ...(await verify(system, { required: ['I2'] })),
    ],
  };
}

/** @returns whether the import still ran when so many orders were there */
async function passes({ client }: Shop, orders: number, verb: RunningVerb): Promise<boolean> {
  let hasEnded = false;
  void verb.ended.then(() => (hasEnded = true));
  await until(async () => hasEnded || (await countFeed(client, imported)) >= orders, {
    withinMs: passesWithinMs,
    everyMs: 200,
  });
  return !hasEnded;
}

async function countFeed(client: Shop['client'], query: string): Promise<number> {
  return (await readFeed(client, query)).length;
}

type Importing = { readonly args: readonly string[]; readonly running: RunningVerb };

/** The importer may live through the server's death, or give up; then a person runs it again. */
async function importUntilDone(
  system: Shop['system'],
  { args, running }: Importing,
): Promise<CliExit & { readonly runs: number }> {
  let end = await running.ended;
  let runs = 0;
  while (end.code !== 0 && runs < importsMax) {
    end = await startVerb(system, args).ended;
    runs += 1;
  }
  return { ...end, runs };
}

function secondRunProblems(report: ImportReport, added: number): readonly string[] {
  return [
    ...(added === 0 ? [] : [`run twice, the import added ${added} events`]),
    ...(report.imported === 0 ? [] : [`run twice, it imported ${report.imported} orders again`]),
  ];
}
