import { setTimeout as wait } from 'node:timers/promises';

import type { Random } from '../orders/seeded-random.ts';
import { between } from '../orders/seeded-random.ts';
import { sendSignal } from '../system/processes.ts';
import type { Fleet } from './fleet.ts';
import type { SupervisedRole } from './supervised-role.ts';

/** One thing that happens to the fleet, and how it is over: returns when it is healed. */
export type Blow = { readonly name: string; readonly strike: () => Promise<void> };

/** Of `performance.now()`. */
export type Strike = { readonly name: string; readonly at: number; readonly healedAt: number };

const redisAwayMs = 1_000;

/** Everything that can be killed or stopped without anybody's being refused an order. */
export function blowsOf({ projectors, fulfillments, redis }: Fleet, stopMs: number): readonly Blow[] {
  return [
    ...blowsAt('projector', projectors, stopMs),
    ...blowsAt('fulfillment', fulfillments, stopMs),
    {
      name: 'kill redis',
      strike: async () => {
        await redis.kill();
        await wait(redisAwayMs);
        await redis.startAgain();
      },
    },
    {
      name: `stop redis ${stopMs / 1_000} s`,
      strike: async () => {
        const pid = redis.pid();
        sendSignal(pid, 'SIGSTOP');
        await wait(stopMs);
        sendSignal(pid, 'SIGCONT');
      },
    },
  ];
}

function blowsAt(name: string, instances: readonly SupervisedRole[], stopMs: number): readonly Blow[] {
  return [
    {
      name: `kill ${name}`,
      strike: async () => {
        const victim = await busiest(instances);
        await victim.kill();
        await victim.isBack();
      },
    },
    {
      name: `stop ${name} ${stopMs / 1_000} s`,
      strike: async () => {
        const victim = await busiest(instances);
        victim.pause();
        await wait(stopMs);
        victim.resume();
      },
    },
  ];
}

/** The one that holds most leases: to strike one that waits would prove little. */
async function busiest(instances: readonly SupervisedRole[]): Promise<SupervisedRole> {
  const held = await Promise.all(
    instances.map(async (role) => {
      const leases = instances.length === 1 ? null : await role.current()?.metric('lease_held');
      return { role, leases: [...(leases?.values() ?? [])].reduce((sum, each) => sum + each, 0) };
    }),
  );
  const [most] = held.toSorted((a, b) => b.leases - a.leases);
  if (most === undefined) throw new Error('there is no instance to strike');
  return most.role;
}

export type StrikingOptions = {
  readonly blows: readonly Blow[];
  readonly random: Random;
  readonly everyMs: number;
  /** Asked before each blow; one that is under way is always healed. */
  readonly goesOn: () => boolean;
  readonly onStrike: (strike: Strike) => void;
  /** Told at its beginning. */
  readonly onBlow: (blow: Blow) => void;
};

/** Blow after blow, each round in an order of its own. @returns every strike once the last one is healed */
export async function strikeInTurn(options: StrikingOptions): Promise<readonly Strike[]> {
  const { blows, random, everyMs, goesOn, onStrike, onBlow } = options;
  const strikes: Strike[] = [];
  const beganAt = performance.now();
  let round: Blow[] = [];
  for (let turn = 1; ; turn += 1) {
    const due = (): boolean => performance.now() >= beganAt + turn * everyMs;
    while (goesOn() && !due()) await wait(20);
    if (!goesOn()) return strikes;
    if (round.length === 0) round = shuffled(blows, random);
    const blow = round.pop();
    if (blow === undefined) return strikes;
    onBlow(blow);
    const at = performance.now();
    await blow.strike();
    const strike = { name: blow.name, at, healedAt: performance.now() };
    strikes.push(strike);
    onStrike(strike);
  }
}

export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = between(random, 0, last);
    [all[last], all[other]] = [all[other] as Item, all[last] as Item];
  }
  return all;
}
