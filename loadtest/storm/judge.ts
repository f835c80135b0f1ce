import { duplicateEffects, lostAnswers } from '../orders/ledger-checks.ts';
import { readLedgerFile } from '../orders/ledger-file.ts';
import { awaitStatus, eachFeedEvent, eachListedOrder } from '../orders/read-orders.ts';
import type { FeedEvent, OrderReading } from '../orders/read-orders.ts';
import type { FaultReport } from '../system/fault-report.ts';
import { verifyAll } from '../system/order-center.ts';
import type { VerifyReport } from '../system/order-center.ts';
import { drainFleet } from './fleet.ts';
import type { Fleet } from './fleet.ts';
import { awaitLag, mostEvents } from './lag.ts';
import type { Latency } from './open-loop.ts';
import { halfAndMost } from './percentiles.ts';
import { judgeRss, rssRule } from './rss.ts';
import { consistentWithinMs, outstandingMax } from './storm.ts';
import type { Storm, StormContext } from './storm.ts';
import type { Strike } from './strikes.ts';

/** A bound for the run, no aim: sagas are worked off as fast as two cores do beside everything else. */
const deliveredWithinMs = 1_200_000;
const lagEndsWithinMs = 60_000;
/** `verify` must have had the means to check these. */
const required = ['I1', 'I2', 'I6', 'I15', 'I16', 'I18', 'I19', 'I21', 'I24', 'I28', 'I35'];

/** Waits until what was begun is finished, then asks every store whether it has what it must have. */
export async function judgeStorm(context: StormContext, storm: Storm): Promise<FaultReport> {
  const { fleet, seed, say } = context;
  const cards = storm.acked.filter(({ isCard }) => isCard).map(({ orderId }) => orderId);
  const deadline = performance.now() + deliveredWithinMs;
  const undelivered = await awaitStatus(fleet.client, { orderIds: cards, status: 'delivered', deadline });
  const deliveredMs = performance.now() - storm.calmAt;
  say(
    `${cards.length - undelivered.size} of ${cards.length} card orders are delivered ${Math.round(deliveredMs / 1_000)} s after the last heal`,
  );
  const stillBehind = await neverCaughtUp(fleet);
  const { lost, duplicates, listed } = await compareWithLedger(fleet, storm);
  say(`the list has ${listed} orders; verify …`);
  const began = performance.now();
  const verified = await verifyAll(fleet.target, { ledger: storm.ledgerPath, reads: storm.readsPath, required });
  say(`verify took ${Math.round((performance.now() - began) / 1_000)} s: ${toChecked(verified)}`);
  await drainFleet(fleet);
  const rss = judgeRss(storm.lives);
  for (const line of [...rss.lines, rssRule]) say(line);
  const { acked, ambiguous, unresolved } = storm.placed;
  return {
    ...{ seed, ops: context.orders, acked, lost: lost.length, dup: duplicates.length, ambiguous },
    unresolved: unresolved.length,
    readyMs: 0,
    consistentMs: storm.consistentMs,
    facts: { ...factsOf(storm), cards: cards.length, t_delivered: `${(deliveredMs / 1_000).toFixed(0)}s`, undelivered: undelivered.size, rss_judged: rss.judged }, // prettier-ignore
    problems: [
      ...problemsOf(context, storm),
      ...stillBehind,
      ...lost,
      ...duplicates,
      ...toUndelivered(undelivered),
      ...verified.problems,
      ...rss.problems,
      ...fleet.roles.flatMap(({ problems }) => problems),
    ],
  };
}

/** Nothing is under way any more: every follower must come to the very end. */
async function neverCaughtUp({ projectors, fulfillments }: Fleet): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const instances of [projectors, fulfillments]) {
    const deadline = performance.now() + lagEndsWithinMs;
    const at = await awaitLag(instances, { isThere: (lag) => mostEvents(lag) === 0, deadline });
    if (at === null) problems.push(`${instances[0]?.role ?? ''} does not come to the end of the log`);
  }
  return problems;
}

async function compareWithLedger({ client }: Fleet, { ledgerPath }: Storm) {
  const lines = await readLedgerFile(ledgerPath);
  const readings = new Map<string, OrderReading>();
  for await (const [orderId, reading] of eachListedOrder(client)) readings.set(orderId, reading);
  const placed: FeedEvent[] = [];
  for await (const { type, stream, commandId } of eachFeedEvent(client, 'types=OrderPlaced')) {
    placed.push({ type, stream, commandId, data: {} });
  }
  const lost = lostAnswers(lines, readings);
  const strangers = readings.size - new Set(lines.map(({ orderId }) => orderId)).size;
  return {
    lost: lost.map(({ orderId, version }) => `order ${orderId} was acknowledged at version ${version} and is lost`),
    duplicates: [
      ...duplicateEffects(lines, placed),
      // Every placement was repeated until it was answered, so nobody can have placed another one.
      ...(strangers > 0 ? [`${strangers} orders are there that were acknowledged to nobody`] : []),
    ],
    listed: readings.size,
  };
}

export function problemsOf(context: StormContext, storm: Storm): readonly string[] {
  const { placed, reading, consistentMs, strikes } = storm;
  const { acked, refused, unresolved } = placed;
  const bound = consistentWithinMs / 1_000;
  return [
    ...refused.map(({ placement, reason }) => `${placement.commandId} was refused: ${reason}`),
    ...unresolved.map(({ placement, reason }) => `${placement.commandId} was never answered: ${reason}`),
    ...(acked === context.orders ? [] : [`${context.orders} orders were placed, ${acked} acknowledged`]),
    ...(strikes.length > 0 ? [] : ['nothing was struck: the run was too short']),
    ...(consistentMs !== null && consistentMs <= bound * 1_000
      ? []
      : [`the views were not consistent ${bound} s after the last heal (${consistentMs === null ? 'never' : `${(consistentMs / 1_000).toFixed(1)} s`})`]), // prettier-ignore
    ...[...reading.errors].map(([code, count]) => `${count} reads were answered with ${code}`),
    ...(reading.reads > 0 ? [] : ['nothing was read']),
    ...reading.wentBack,
  ];
}

export function factsOf({ maximum, ratePerSecond, loop, placed, placingMs, strikes, reading }: Storm) {
  const errors = [...placed.errors].map(([code, count]) => `${code}:${count}`);
  const back = reading.wentBack.length;
  return {
    maximum: maximum === null ? 'unmeasured' : `${maximum.perSecond.toFixed(0)}/s`,
    rate: `${ratePerSecond}/s`,
    achieved: `${((placed.acked * 1_000) / placingMs).toFixed(0)}/s`,
    strikes: strikes.length,
    outstanding_max: outstandingMax,
    late: loop.late(),
    replayed: placed.replayed,
    errors: `{${errors.join(',')}}`,
    'place_p50/p99': halfAndMost(loop.latencies.map(({ ms }) => ms)),
    'place_struck_p50/p99': halfAndMost(whileStruck(loop.latencies, strikes)),
    reads: reading.reads,
    read_errors: [...reading.errors.values()].reduce((sum, count) => sum + count, 0),
    went_back: back,
    'read_p50/p99': halfAndMost(reading.latencies.map(({ ms }) => ms)),
    'read_struck_p50/p99': halfAndMost(whileStruck(reading.latencies, strikes)),
  };
}

/** Of what was due while something was dead or stopped. */
export function whileStruck(latencies: readonly Latency[], strikes: readonly Strike[]): readonly number[] {
  const isStruck = (time: number): boolean => strikes.some(({ at, healedAt }) => time >= at && time <= healedAt);
  return latencies.filter(({ at }) => isStruck(at)).map(({ ms }) => ms);
}

function toUndelivered(undelivered: ReadonlyMap<string, OrderReading | null>): readonly string[] {
  return [...undelivered].map(
    ([orderId, reading]) => `order ${orderId} is ${reading?.status ?? 'missing'} and not delivered`,
  );
}

function toChecked({ checked, problems }: VerifyReport): string {
  const counts = [...checked].map(([id, count]) => `${id} ${count}`).join(', ');
  return `${problems.length === 0 ? '0 violations' : `${problems.length} do not hold`} (${counts})`;
}
