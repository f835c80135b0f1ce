import { setTimeout as wait } from 'node:timers/promises';

import { startPlacing } from '../../orders/ledger-client.ts';
import type { Placing } from '../../orders/ledger-client.ts';
import { placements } from '../../orders/order-bodies.ts';
import { between, seededRandom } from '../../orders/seeded-random.ts';
import type { Random } from '../../orders/seeded-random.ts';
import { newGate } from '../gate.ts';
import type { Gate } from '../gate.ts';
import { checkPlacedOrders, concurrency, tenantId, withShop } from '../placed-orders.ts';
import type { Scenario } from '../scenario.ts';
import type { System, Victims } from '../../system/system.ts';

export const killedOften: Scenario = {
  id: 'killed-often',
  title: 'kill -9 of Node, or of Node and Postgres, every 2 to 4 s during placements, and now and then during a start',
  run: async ({ seed, orders, keep, say }) => {
    const random = seededRandom(seed);
    const ops = orders ?? ordersDefault;
    return withShop({ name: 'killed-often', keep }, async (shop) => {
      const { system, client, ledger } = shop;
      const gate = newGate();
      const orderList = placements({ count: ops, random, prefix: `often-${seed}` });
      const { admit } = gate;
      const common = { client, ledger, tenantId, concurrency, admit, placements: orderList };
      const placing = startPlacing({ ...common, retryForMs });
      const lives = await liveAndDie({ system, gate, placing, random, say, ops });
      const readyMs = await system.awaitReady();
      const readyAt = performance.now();
      gate.open();
      const placed = await placing.done;
      const inTheMiddle = lives.filter(({ isPlacing }) => isPlacing).length;
      const problems = inTheMiddle >= killsMin ? [] : [`only ${inTheMiddle} kills were during placements`];
      const facts = { kills: lives.length, with_postgres: lives.filter(({ victims }) => victims !== 'node').length };
      return checkPlacedOrders(shop, { seed, ops, placed, readyMs, readyAt, facts, problems });
    });
  },
};

const ordersDefault = 1_500;
const killsMin = 6;
// An order that came first may wait through every one of them.
const retryForMs = 300_000;
const lifeMs = { min: 2_000, max: 4_000 };
const startMs = { min: 100, max: 1_500 };
const releaseEveryMs = 50;

type Running = {
  readonly system: System;
  readonly gate: Gate;
  readonly placing: Placing;
  readonly random: Random;
  readonly ops: number;
  readonly say: (line: string) => void;
};

type Life = { readonly victims: Victims; readonly isPlacing: boolean };

/** Six lives that are killed at work, and after two of them a start that is killed as well. The last start lives. */
async function liveAndDie(running: Running): Promise<readonly Life[]> {
  const { system, placing, random, ops, say } = running;
  const lives: Life[] = [];
  const die = async (when: string): Promise<void> => {
    const victims: Victims = random() < 0.5 ? 'node' : 'node-and-postgres';
    const isPlacing = placing.acked() < ops && when === 'at work';
    say(`kill ${lives.length + 1} (${victims}, ${when}) after ${placing.acked()} answers`);
    await system.kill(victims);
    lives.push({ victims, isPlacing });
    system.launch();
  };
  system.launch();
  for (let life = 1; life <= killsMin; life += 1) {
    await system.awaitReady();
    await work(running, between(random, lifeMs.min, lifeMs.max));
    await die('at work');
    if (life % 3 !== 0) continue;
    await wait(between(random, startMs.min, startMs.max));
    await die('at its start');
  }
  return lives;
}

/** Orders come only while the system is up, and so slowly that the longest lives do not use them up. */
async function work({ gate, ops }: Running, forMs: number): Promise<void> {
  const perMs = (ops * 0.9) / (killsMin * lifeMs.max);
  const until = performance.now() + forMs;
  let last = performance.now();
  while (last < until) {
    await wait(Math.min(releaseEveryMs, until - last));
    const now = performance.now();
    gate.release((now - last) * perMs);
    last = now;
  }
}
