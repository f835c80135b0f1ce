import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import type { FreshDatabase } from '../../test/postgres.ts';
import { startPlacing } from '../orders/ledger-client.ts';
import { openLedgerFile } from '../orders/ledger-file.ts';
import { placements } from '../orders/order-bodies.ts';
import { seededRandom } from '../orders/seeded-random.ts';
import { heldBy, openDeployment } from './deployment.ts';
import type { Deployment } from './deployment.ts';
import { newGate } from './gate.ts';
import { checkPlacedOrders, tenantId } from './placed-orders.ts';
import { hit, lateTakeovers, strike } from './takeover.ts';

let folder: string;
let database: FreshDatabase;
let deployment: Deployment;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'order-center-takeover-'));
  database = await freshDatabase();
  deployment = await openDeployment({ postgresUrl: database.url, folder, tenantId, socketsMax: 4 });
}, 180_000);
afterEach(async () => {
  deployment.client.close();
  // One that a bug ended would have left its work to nobody, and the orders undelivered for no reason to be seen.
  expect(await deployment.close()).toEqual([]);
  await database.drop();
  await rm(folder, { recursive: true, maxRetries: 5 });
}, 180_000);

describeWithPostgres('two projectors and two fulfillment workers on one Postgres', () => {
  it(
    'take over from killed ones within 8 s: nothing is lost, and nothing is charged twice',
    { timeout: 180_000 },
    async () => {
      const orders = await startOrders(20);
      await orders.firstHalf();
      const takeover = await orders.struckBy(() => hit(deployment.holders, 'kill'));
      expect(lateTakeovers(takeover)).toEqual([]);
      await orders.expectNothingWrong();
    },
  );

  it('take over from stopped ones within 8 s, and those come back without any harm', { timeout: 180_000 }, async () => {
    const { holders } = deployment;
    const orders = await startOrders(60);
    // A batch is one statement: nobody is stopped with a lock in his hand.
    const takeover = await orders.struckBy(() => hit(holders, 'pause'));
    expect(lateTakeovers(takeover)).toEqual([]);
    // Not for anything to happen: the longer they were gone, the more they have to be wrong about.
    await wait(4_000);
    for (const zombie of Object.values(holders)) zombie.resume();
    const held = () => Promise.all(Object.values(holders).map(heldBy));
    await vi.waitFor(async () => expect(await held()).toEqual([0, 0]), { timeout: 20_000, interval: 100 });
    await orders.expectNothingWrong();
  });
});

async function startOrders(ops: number) {
  const { client, target } = deployment;
  const ledger = await openLedgerFile(join(folder, 'ledger.jsonl'));
  const gate = newGate();
  const list = placements({ count: ops, random: seededRandom(1), prefix: 'takeover' });
  const common = { client, ledger, tenantId, placements: list, concurrency: 4, retryForMs: 30_000 };
  const placing = startPlacing({ ...common, admit: gate.admit });
  gate.release(ops / 2);
  return {
    firstHalf: () => vi.waitFor(() => expect(placing.acked()).toBe(ops / 2), { timeout: 60_000 }),
    struckBy: (hitting: () => Promise<unknown>) => strike({ client, hit: hitting, flow: gate.open }),
    /** Every order delivered and charged once, the views equal to the fold, and all else that verify checks. */
    expectNothingWrong: async (): Promise<void> => {
      const placed = await placing.done;
      const after = { seed: 1, ops, placed, readyMs: 0, readyAt: performance.now() };
      const report = await checkPlacedOrders({ system: target, client, ledger }, after);
      await ledger.close();
      expect(report).toMatchObject({ acked: ops, lost: 0, dup: 0, unresolved: 0, problems: [] });
    },
  };
}
