import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { startPlacing } from '../orders/ledger-client.ts';
import type { PlacingReport } from '../orders/ledger-client.ts';
import { openLedgerFile } from '../orders/ledger-file.ts';
import type { LedgerFile } from '../orders/ledger-file.ts';
import { eachPlacement } from '../orders/order-bodies.ts';
import type { Placement } from '../orders/order-bodies.ts';
import { seededRandom } from '../orders/seeded-random.ts';
import type { Random } from '../orders/seeded-random.ts';
import type { Fleet } from './fleet.ts';
import { awaitLag, freshAfterMs, mostSeconds, namesBehind } from './lag.ts';
import { measureMaximum } from './measure-maximum.ts';
import type { Maximum } from './measure-maximum.ts';
import { openLoop } from './open-loop.ts';
import type { OpenLoop } from './open-loop.ts';
import type { StormOptions } from './options.ts';
import { startReading } from './reading.ts';
import type { AckedOrder, ReadingReport } from './reading.ts';
import { watchRss } from './rss.ts';
import type { Life } from './rss.ts';
import { blowsOf, strikeInTurn } from './strikes.ts';
import type { Strike } from './strikes.ts';

export const tenantId = 'default';

/** What happened, before anybody judges it. */
export type Storm = {
  readonly maximum: Maximum | null;
  readonly ratePerSecond: number;
  readonly placed: PlacingReport;
  /** From the first scheduled placement to the last answer. */
  readonly placingMs: number;
  readonly loop: OpenLoop;
  readonly strikes: readonly Strike[];
  readonly reading: ReadingReport;
  readonly lives: readonly Life[];
  /** The last answer or the last heal, whichever was later; of `performance.now()`. */
  readonly calmAt: number;
  /** From `calmAt` until every view and the snapshots follow the log closely; null: not in time. */
  readonly consistentMs: number | null;
  /** Every order that was acknowledged, those of the measurement before included. */
  readonly acked: readonly AckedOrder[];
  readonly ledgerPath: string;
  readonly readsPath: string;
};

export type StormContext = StormOptions & { readonly fleet: Fleet; readonly say: (line: string) => void };

export const outstandingMax = 2_000;
const retryForMs = 60_000;
const shareOfMaximum = 0.7;
const stopMsMax = 6_000;
/** Placements of the measurement; the machine is not that fast. */
const measuredMax = 200_000;
export const consistentWithinMs = 5_000;
/** Sagas go on after the last placement, so that some event is always on its way. */
const followsSeconds = 0.5;
const calmBeforeMs = 60_000;

export async function runStorm(context: StormContext): Promise<Storm> {
  const { fleet, orders, seed, say } = context;
  const ledger = await openLedgerFile(join(fleet.folder, 'ledger.jsonl'));
  const acked: AckedOrder[] = [];
  const random = seededRandom(seed);
  const common = { client: fleet.client, ledger, tenantId, retryForMs };
  const onAcked = ackedInto(acked);
  try {
    const measured = mixed(context, { count: measuredMax, prefix: `measured-${seed}`, random });
    const maximum = context.rate === null ? await measureMaximum(fleet, { ...common, onAcked }, measured) : null;
    const ratePerSecond = context.rate ?? Math.max(1, Math.round((maximum?.perSecond ?? 0) * shareOfMaximum));
    if (maximum !== null) say(toMaximumLine(maximum, ratePerSecond));
    await awaitCalm(fleet);
    say(`storm: ${orders} orders, ${context.cardShare * 100} % by card, at ${ratePerSecond}/s`);
    const placements = mixed(context, { count: orders, prefix: `storm-${seed}`, random });
    return {
      maximum,
      ratePerSecond,
      acked,
      ...(await underFire({ context, ledger, acked, placements, ratePerSecond })),
    };
  } finally {
    await ledger.close();
  }
}

type UnderFire = {
  readonly context: StormContext;
  readonly ledger: LedgerFile;
  readonly acked: AckedOrder[];
  readonly placements: Iterable<Placement>;
  readonly ratePerSecond: number;
};

async function underFire({ context, ledger, acked, placements, ratePerSecond }: UnderFire) {
  const { fleet, seed, strikeEveryMs, say } = context;
  const { client, folder } = fleet;
  const readsPath = join(folder, 'reads.jsonl');
  const random = seededRandom(seed + 1);
  const rss = watchRss(fleet.roles);
  const reading = startReading({ client, acked, random, path: readsPath });
  const loop = openLoop(ratePerSecond);
  const onAcked = ackedInto(acked);
  const beganAt = performance.now();
  const placing = startPlacing({
    ...{ client, ledger, tenantId, retryForMs, placements, concurrency: outstandingMax, admit: loop.admit },
    onAcked: (placement, line) => {
      loop.acked(placement);
      onAcked(placement, line);
    },
  });
  let isPlacing = true;
  const placed = placing.done.finally(() => (isPlacing = false));
  const striking = strikeInTurn({
    blows: blowsOf(fleet, Math.min(stopMsMax, strikeEveryMs * 0.6)),
    random: seededRandom(seed + 2),
    everyMs: strikeEveryMs,
    goesOn: () => isPlacing,
    onBlow: ({ name }) =>
      say(`  ${seconds(performance.now() - beganAt)} ${name} (${placing.acked()} acked, ${placing.inFlight()} out)`),
    onStrike: ({ at, healedAt }) => say(`        healed after ${seconds(healedAt - at)}`),
  });
  const report = await placed;
  const answeredAt = performance.now();
  const strikes = await striking;
  const calmAt = Math.max(answeredAt, ...strikes.map(({ healedAt }) => healedAt));
  const consistentMs = await becomesConsistent(context, calmAt);
  rss.stop();
  return {
    ...{ placed: report, placingMs: answeredAt - beganAt, loop, strikes, calmAt, consistentMs, readsPath },
    reading: await reading.stop(),
    lives: rss.lives(),
    ledgerPath: ledger.path,
  };
}

/** Looked for until it is there at all. Where nobody asked for it during the storm, the first answer is fresh. */
async function becomesConsistent({ fleet, say }: StormContext, calmAt: number): Promise<number | null> {
  const isThere = (lag: Parameters<typeof mostSeconds>[0]): boolean => {
    say(
      `  calm for ${seconds(performance.now() - calmAt)}: views are ${mostSeconds(lag).toFixed(1)} s behind (${namesBehind(lag)})`,
    );
    return mostSeconds(lag) <= followsSeconds;
  };
  // To strike the one of two that works, its metrics are asked.
  if (fleet.projectors.length > 1) await wait(freshAfterMs);
  const at = await awaitLag(fleet.projectors, { isThere, deadline: calmAt + 12 * consistentWithinMs });
  return at === null ? null : at - calmAt;
}

/** What the measurement left is worked off before the storm begins. */
async function awaitCalm({ projectors, fulfillments }: Fleet): Promise<void> {
  const deadline = performance.now() + calmBeforeMs;
  const isThere = (lag: Parameters<typeof mostSeconds>[0]): boolean => mostSeconds(lag) <= followsSeconds;
  for (const instances of [projectors, fulfillments]) {
    if ((await awaitLag(instances, { isThere, deadline })) === null) throw new Error('the fleet does not calm down');
  }
}

type Mix = { readonly count: number; readonly prefix: string; readonly random: Random };

function mixed({ cardShare, seed }: StormContext, { count, prefix, random }: Mix): Generator<Placement> {
  const lots = seededRandom(seed + 3);
  return eachPlacement({ count, prefix, random, method: () => (lots() < cardShare ? 'card' : 'bank_slip') });
}

function ackedInto(acked: AckedOrder[]) {
  return ({ body }: Placement, { orderId, version }: { readonly orderId: string; readonly version: number }): void => {
    acked.push({ orderId, version, isCard: body.payments.some(({ method }) => method === 'card') });
  };
}

function toMaximumLine({ perSecond, doorPerSecond, placed }: Maximum, rate: number): string {
  const views = `${perSecond.toFixed(0)}/s until visible in every view`;
  return `maximum: ${placed} orders in a closed loop, ${views} (the door alone ${doorPerSecond.toFixed(0)}/s); 70 % is ${rate}/s`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
