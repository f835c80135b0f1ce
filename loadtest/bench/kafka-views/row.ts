import { join } from 'node:path';

import { startChild, type Child } from '../child-process.ts';
import type { PlacerAnswer, PlacerRequest } from '../feed/placer.child.ts';
import type { LoadAnswer, LoadRequest } from '../http/load.child.ts';
import type { ServerAnswer, ServerRequest } from '../http/server.child.ts';
import type { LegAnswer } from '../relay/legs.ts';
import type { RelayRequest } from '../relay/relay.child.ts';
import type { BenchContext, BenchRow, Finding } from '../row.ts';
import { withScratchKafka, type ScratchKafka } from '../scratch-kafka.ts';
import { appendToVisible } from '../visible/row.ts';
import { scaleProjectors, type FilledTopics } from './scaling.ts';
import { startProjector } from './start-projector.ts';

/**
 * Ours: nobody asked for a number. It is the bound of views in one process (250 ms) and once more for each of the two
 * processes between, and as much again for a fetch that waits.
 */
const p99MaxMs = 1_000;

const bench = join(import.meta.dirname, '..');
const relayFile = join(bench, 'relay', 'relay.child.ts');

/** Views of single orders over Kafka: what one, two and three projectors read, and how soon an order is visible. */
export const kafkaViewsRow: BenchRow = {
  name: 'kafka-views',
  title: 'from topics of 12 partitions to visible views by 1, 2 and 3 projectors; append to view at 70 % of the load',
  measure: (context) =>
    withScratchKafka(context.say, async (kafka) => {
      const scaling = await context.postgres.withDatabase((storeUrl) => measureScaling({ kafka, storeUrl }, context));
      const visible = await context.postgres.withDatabase((storeUrl) => measureVisible({ kafka, storeUrl }, context));
      return {
        verdicts: visible.verdicts,
        comparisons: scaling.comparisons,
        facts: { ...scaling.facts, ...visible.facts },
      };
    }),
};

type Place = { readonly kafka: ScratchKafka; readonly storeUrl: string };
type Relay = Child<RelayRequest, LegAnswer>;

async function measureScaling({ kafka, storeUrl }: Place, context: BenchContext): Promise<Finding> {
  const placer: Child<PlacerRequest, PlacerAnswer> = startChild(join(bench, 'feed', 'placer.child.ts'));
  let placed = 0;
  const fill = async (orders: number): Promise<FilledTopics> => {
    if (orders > placed) await placer.ask({ kind: 'place', orders: orders - placed });
    placed = Math.max(placed, orders);
    const topicPrefix = await kafka.newTopics();
    const relay: Relay = startChild(relayFile);
    try {
      await relay.ask({ kind: 'open', storeUrl, kafkaUrl: kafka.url, topicPrefix });
      await relay.ask({ kind: 'publish', records: placed });
    } finally {
      await relay.stop();
    }
    return { storeUrl, kafkaUrl: kafka.url, topicPrefix, events: placed };
  };
  try {
    await placer.ask({ kind: 'open', url: storeUrl });
    return await scaleProjectors(fill, context);
  } finally {
    await placer.stop();
  }
}

/** As the row `visible`, with the relay, Kafka and a projector in processes of their own between append and view. */
async function measureVisible({ kafka, storeUrl }: Place, context: BenchContext): Promise<Finding> {
  const load: Child<LoadRequest, LoadAnswer> = startChild(join(bench, 'http', 'load.child.ts'));
  const door: Child<ServerRequest, ServerAnswer> = startChild(join(bench, 'http', 'server.child.ts'), context.execArgv);
  const relay: Relay = startChild(relayFile, context.execArgv);
  const projector = startProjector(context.execArgv);
  try {
    const topicPrefix = await kafka.newTopics();
    const { url } = await door.ask({ kind: 'listen', storeUrl });
    await relay.ask({ kind: 'open', storeUrl, kafkaUrl: kafka.url, topicPrefix });
    await relay.ask({ kind: 'follow' });
    const topics = { storeUrl, kafkaUrl: kafka.url, topicPrefix };
    await projector.ask({ kind: 'start', ...topics, readUrl: storeUrl, groupPrefix: topicPrefix });
    return await appendToVisible({ load, door, projector }, { url, p99MaxMs }, context);
  } finally {
    await Promise.all([load.stop(), door.stop(), relay.stop(), projector.stop()]);
  }
}
