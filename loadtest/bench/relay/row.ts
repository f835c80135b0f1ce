import { join } from 'node:path';

import { startChild, type Child } from '../child-process.ts';
import type { PlacerAnswer, PlacerRequest } from '../feed/placer.child.ts';
import { compare, spreadOf, type Comparison } from '../pairs.ts';
import { atLeast, type BenchContext, type BenchRow, type Finding } from '../row.ts';
import { spreadText } from '../report.ts';
import { withScratchKafka, type ScratchKafka } from '../scratch-kafka.ts';
import type { BareAnswer, BareRequest } from './bare-kafkajs.child.ts';
import { batchMax, type LegAnswer } from './legs.ts';
import type { RelayRequest } from './relay.child.ts';

const aim = 0.9;
/** Orders of the first legs, which warm up and calibrate. */
const firstOrders = 5_000;
const ordersMax = 50_000;
/** A leg is much longer than what a relay does before its first record. */
const legFactor = 2;

/** What reading, encoding and remembering the place cost, beside a driver that only sends. */
export const relayRow: BenchRow = {
  name: 'relay',
  title: `the relay from log to topic by kafkajs alone with the same records made before, ${batchMax} a produce`,
  measure: (context) =>
    withScratchKafka(context.say, (kafka) =>
      context.postgres.withDatabase((storeUrl) => measureOn({ kafka, storeUrl }, context)),
    ),
};

type Place = { readonly kafka: ScratchKafka; readonly storeUrl: string };
type Children = {
  readonly placer: Child<PlacerRequest, PlacerAnswer>;
  readonly bare: Child<BareRequest, BareAnswer>;
  readonly relay: Child<RelayRequest, LegAnswer>;
};
type Topics = { readonly bare: string; readonly relay: string };

async function measureOn({ kafka, storeUrl }: Place, context: BenchContext): Promise<Finding> {
  const children: Children = {
    placer: startChild(join(import.meta.dirname, '..', 'feed', 'placer.child.ts')),
    bare: startChild(join(import.meta.dirname, 'bare-kafkajs.child.ts'), context.execArgv),
    relay: startChild(join(import.meta.dirname, 'relay.child.ts'), context.execArgv),
  };
  const { placer, bare, relay } = children;
  try {
    const topics = { bare: await kafka.newTopics(), relay: await kafka.newTopics() };
    await placer.ask({ kind: 'open', url: storeUrl });
    await bare.ask({ kind: 'open', storeUrl, kafkaUrl: kafka.url, topicPrefix: topics.bare });
    await relay.ask({ kind: 'open', storeUrl, kafkaUrl: kafka.url, topicPrefix: topics.relay });
    return await publish(children, { kafka, topics }, context);
  } finally {
    await Promise.all([placer.stop(), bare.stop(), relay.stop()]);
  }
}

type Target = { readonly kafka: ScratchKafka; readonly topics: Topics };

async function publish({ placer, bare, relay }: Children, target: Target, context: BenchContext): Promise<Finding> {
  const legs: { readonly bare: LegAnswer[]; readonly relay: LegAnswer[] } = { bare: [], relay: [] };
  let orders = 0;
  const grow = async (wanted: number): Promise<BareAnswer> => {
    if (wanted > orders) await placer.ask({ kind: 'place', orders: wanted - orders });
    orders = Math.max(orders, wanted);
    return bare.ask({ kind: 'load' });
  };
  const leg = (name: keyof Topics, run: () => Promise<LegAnswer>) => async (): Promise<number> => {
    const answer = await counted(target, name, { orders, run });
    legs[name].push(answer);
    return (answer.records / answer.ms) * 1_000;
  };
  const pushBare = leg('bare', () => bare.ask({ kind: 'push' }));
  const runRelay = leg('relay', () => relay.ask({ kind: 'publish', records: orders }));

  await grow(firstOrders);
  // The first two legs of each warm up; the second ones tell how many records a leg needs.
  const rates = [await pushBare(), await runRelay(), await pushBare(), await runRelay()].slice(2);
  const { bytes } = await grow(Math.min(ordersMax, Math.round(Math.max(...rates) * context.seconds * legFactor)));
  context.say(`  ${orders} orders a leg`);
  legs.bare.length = 0;
  legs.relay.length = 0;
  const comparisons = await compare({
    limit: { name: 'kafkajs, records made before', run: pushBare },
    candidates: [{ name: 'relay', run: runRelay }],
    unit: 'records/s',
    reps: context.reps,
    say: context.say,
  });
  return findingOf(comparisons, legs, { orders, bytes });
}

type Counted = { readonly orders: number; readonly run: () => Promise<LegAnswer> };

/** A leg that lost or doubled a record fails the run. */
async function counted({ kafka, topics }: Target, name: keyof Topics, { orders, run }: Counted): Promise<LegAnswer> {
  const before = await kafka.countRecords(topics[name]);
  const answer = await run();
  const written = (await kafka.countRecords(topics[name])) - before;
  if (written !== orders) throw new Error(`${name} wrote ${written} records of ${orders} orders`);
  return answer;
}

function findingOf(
  comparisons: readonly Comparison[],
  legs: Readonly<Record<keyof Topics, readonly LegAnswer[]>>,
  { orders, bytes }: { readonly orders: number; readonly bytes: number },
): Finding {
  const cpu = (of: readonly LegAnswer[]): string =>
    spreadText(spreadOf(of.map(({ cpuMicros, records }) => cpuMicros / records)), 1);
  return {
    verdicts: [atLeast('relay / kafkajs', comparisons[0]?.ratio?.median ?? null, aim)],
    comparisons,
    facts: {
      'records a leg': orders,
      'bytes a record, headers included': Math.round(bytes / Math.max(1, orders)),
      'CPU µs a record, kafkajs': cpu(legs.bare),
      'CPU µs a record, relay': cpu(legs.relay),
    },
  };
}
