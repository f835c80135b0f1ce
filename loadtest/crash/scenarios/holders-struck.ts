import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { startEmbeddedPostgres } from '../../../infra/local/embedded-postgres.ts';
import { startPlacing } from '../../orders/ledger-client.ts';
import { openLedgerFile } from '../../orders/ledger-file.ts';
import { placements } from '../../orders/order-bodies.ts';
import { between, seededRandom } from '../../orders/seeded-random.ts';
import { heldBy, openDeployment } from '../deployment.ts';
import type { Deployment, Pair } from '../deployment.ts';
import { checkPlacedOrders, concurrency, retryForMs, tenantId } from '../placed-orders.ts';
import type { FaultReport } from '../../system/fault-report.ts';
import type { Scenario, ScenarioContext } from '../scenario.ts';
import { hit, lateTakeovers, strike } from '../takeover.ts';
import { newGate } from '../gate.ts';
import { until } from '../../system/until.ts';

export const holdersKilled: Scenario = {
  id: 'holders-killed',
  title: 'every role in its own process; kill -9 of the projector and the fulfillment that work; the spares take over',
  run: (context) => holdersStruck(context, 'kill'),
};

export const holdersPaused: Scenario = {
  id: 'holders-paused',
  title: 'every role in its own process; those that work are stopped for 12 s, taken over, and come back as zombies',
  run: (context) => holdersStruck(context, 'pause'),
};

const ordersDefault = 1_000;
const placingWithinMs = 60_000;
/** Three times what a lease lives. */
const pauseMs = 12_000;

async function holdersStruck(context: ScenarioContext, how: 'kill' | 'pause'): Promise<FaultReport> {
  const folder = await mkdtemp(join(tmpdir(), `order-center-holders-${how}-`));
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  try {
    const deployment = await openDeployment({ postgresUrl: postgres.url, folder, tenantId, socketsMax: concurrency });
    const report = await struck({ context, deployment, folder, how }).finally(async () => {
      deployment.client.close();
      await deployment.close();
    });
    return report;
  } finally {
    await postgres.stop();
    if (context.keep) console.log(`kept ${folder}`);
    else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Struck = {
  readonly context: ScenarioContext;
  readonly deployment: Deployment;
  readonly folder: string;
  readonly how: 'kill' | 'pause';
};

async function struck({ context, deployment, folder, how }: Struck): Promise<FaultReport> {
  const { seed, say } = context;
  const { client, holders, target } = deployment;
  const random = seededRandom(seed);
  const ops = context.orders ?? ordersDefault;
  const strikeAfter = between(random, Math.ceil(ops * 0.3), Math.floor(ops * 0.7));
  const ledger = await openLedgerFile(join(folder, 'ledger.jsonl'));
  const gate = newGate();
  const list = placements({ count: ops, random, prefix: `holders-${how}-${seed}` });
  const options = { client, ledger, tenantId, placements: list, concurrency, retryForMs, admit: gate.admit };
  const placing = startPlacing(options);
  gate.release(strikeAfter);
  await until(() => placing.acked() >= strikeAfter, { withinMs: placingWithinMs });
  const struckAt = performance.now();
  const takeover = await strike({ client, hit: () => hit(holders, how), flow: gate.open });
  say(`struck after ${strikeAfter} answers: ${JSON.stringify(takeover)}`);
  const zombies = how === 'pause' ? await wokenZombies(holders, struckAt) : { facts: {}, problems: [] };
  const readyAt = performance.now();
  const placed = await placing.done;
  const { projectorMs, fulfillmentMs } = takeover;
  const facts = { takeover_projector_ms: rounded(projectorMs), takeover_fulfillment_ms: rounded(fulfillmentMs) };
  const report = await checkPlacedOrders(
    { system: target, client, ledger },
    {
      ...{ seed, ops, placed, readyAt, readyMs: Math.max(projectorMs ?? 0, fulfillmentMs ?? 0) },
      facts: { ...facts, ...zombies.facts },
      problems: [...lateTakeovers(takeover), ...zombies.problems],
    },
  );
  await ledger.close();
  return report;
}

/** They come back in the belief that they work, must learn that they do not, and may have been refused a write. */
async function wokenZombies(
  { projector, fulfillment }: Pair,
  struckAt: number,
): Promise<Pick<FaultReport, 'facts' | 'problems'>> {
  await wait(Math.max(0, struckAt + pauseMs - performance.now()));
  for (const zombie of [projector, fulfillment]) zombie.resume();
  const problems: string[] = [];
  let refused = 0;
  for (const zombie of [projector, fulfillment]) {
    const stepsBack = await until(async () => (await heldBy(zombie)) === 0, { withinMs: 10_000, everyMs: 50 });
    if (!stepsBack) problems.push(`the zombie ${zombie.role} still believes that it works`);
    const refusals = await zombie.metric('stale_writes_refused_total');
    for (const count of refusals?.values() ?? []) refused += count;
  }
  return { facts: { refused }, problems };
}

function rounded(ms: number | null): number | string {
  return ms === null ? 'never' : Math.round(ms);
}
