import { randomUUID } from 'node:crypto';

import { compare, spreadOf } from '../pairs.ts';
import type { BenchContext, Finding } from '../row.ts';
import { spreadText } from '../report.ts';
import type { KafkaProjectorAnswer } from './projector.child.ts';
import { startProjector, type KafkaProjector } from './start-projector.ts';

/** Topics that hold every event of a log. */
export type FilledTopics = {
  readonly storeUrl: string;
  readonly kafkaUrl: string;
  readonly topicPrefix: string;
  readonly events: number;
};

/** Events of the first leg, which calibrates. */
const firstEvents = 3_000;
const eventsMax = 50_000;
/** The first half second of a leg compiles; it is to be the smaller part. */
const legFactor = 5;
const pollMs = 20;
const legMaxMs = 100_000;

/** Every leg reads the topics from their first record, into an empty database, as groups that were never there. */
export async function scaleProjectors(
  fill: (events: number) => Promise<FilledTopics>,
  context: BenchContext,
): Promise<Finding> {
  const micros = new Map<number, number[]>();
  const leg = async (topics: FilledTopics, count: number): Promise<number> => {
    const { rate, cpuMicros } = await context.postgres.withDatabase((readUrl) =>
      readAll({ topics, readUrl, count }, context),
    );
    micros.set(count, [...(micros.get(count) ?? []), cpuMicros / topics.events]);
    return rate;
  };
  const small = await fill(firstEvents);
  const first = await leg(small, 1);
  micros.clear();
  const topics = await fill(
    Math.min(eventsMax, Math.max(firstEvents, Math.round(first * context.seconds * legFactor))),
  );
  context.say(`  ${topics.events} events a leg`);
  const legOf = (count: number) => ({ name: `${count} projectors`, run: () => leg(topics, count) });
  const comparisons = await compare({
    limit: { ...legOf(1), name: '1 projector' },
    candidates: [legOf(2), legOf(3)],
    unit: 'events/s',
    reps: context.reps,
    say: context.say,
  });
  const cpu = [...micros].map(([count, each]): [string, string] => [
    `consumer CPU µs an event in two views, ${count} at work`,
    spreadText(spreadOf(each), 0),
  ]);
  return { verdicts: [], comparisons, facts: { 'events a leg': topics.events, ...Object.fromEntries(cpu) } };
}

type Reading = { readonly topics: FilledTopics; readonly readUrl: string; readonly count: number };
type Read = { readonly rate: number; readonly cpuMicros: number };

async function readAll({ topics, readUrl, count }: Reading, { execArgv }: BenchContext): Promise<Read> {
  const { events, ...place } = topics;
  const groupPrefix = `bench-${randomUUID().slice(0, 8)}.`;
  const projectors = Array.from({ length: count }, () => startProjector(execArgv));
  try {
    await Promise.all(projectors.map((each) => each.ask({ kind: 'start', ...place, readUrl, groupPrefix })));
    const answers = await untilVisible(projectors, events);
    const views = (await projectors[0]?.ask({ kind: 'count' }))?.views;
    if (views !== events) throw new Error(`${events} orders were published, ${views} are visible`);
    const worked = answers.flatMap((each) => each.worked ?? []);
    const ms = Math.max(...worked.map(({ to }) => to)) - Math.min(...worked.map(({ from }) => from));
    const cpuMicros = worked.reduce((sum, each) => sum + each.cpuMicros, 0);
    return { rate: (events / Math.max(1, ms)) * 1_000, cpuMicros };
  } finally {
    await Promise.all(projectors.map((each) => each.stop()));
  }
}

/** Each process knows what it made visible itself; together they have to come to exactly all. */
async function untilVisible(
  projectors: readonly KafkaProjector[],
  events: number,
): Promise<readonly KafkaProjectorAnswer[]> {
  const deadline = Date.now() + legMaxMs;
  for (;;) {
    const answers = await Promise.all(projectors.map((each) => each.ask({ kind: 'standing' })));
    const visible = sumsOf(answers);
    if (visible.length > 0 && visible.every((sum) => sum === events)) return answers;
    const isWrong = visible.some((sum) => sum > events) || Date.now() > deadline;
    if (isWrong) throw new Error(`${visible.join(' and ')} of ${events} events became visible`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Of each view. */
function sumsOf(answers: readonly KafkaProjectorAnswer[]): readonly number[] {
  const entries = answers.flatMap(({ applied }) => Object.entries(applied));
  return [...Map.groupBy(entries, ([view]) => view).values()].map((each) => each.reduce((sum, [, n]) => sum + n, 0));
}
