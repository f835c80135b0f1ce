import { randomUUID } from 'node:crypto';

import { kafkaVersion, startKafkaBroker } from '../../infra/local/kafka-broker.ts';
import { openLog } from '../../infra/logging/open.ts';
import { applyTopics } from '../../infra/topics/apply.ts';
import { openTopics } from '../../infra/topics/open.ts';
import type { TopicSettings } from '../../infra/topics/port.ts';
import { topicList } from '../../infra/topics/topic-list.ts';
import { eventTopics } from '../../schemas/wire/event-record.ts';

/** A broker of one row on this machine: Apache Kafka with its own settings, on a folder that goes with the row. */
export type ScratchKafka = {
  readonly version: string;
  /** As FEED_URL has it. */
  readonly url: string;
  /** Makes the topics of published events as production has them. @returns what begins their names */
  newTopics(): Promise<string>;
  /** Records that were ever written to the topics of a prefix. */
  countRecords(topicPrefix: string): Promise<number>;
};

/**
 * Members of a group that come within this time are given their partitions together, so that a leg reads and does not
 * share out anew. It is a broker's setting in production too, where it is 3 s by default.
 */
const joinTogetherMs = 1_500;

export async function withScratchKafka<Result>(
  say: (line: string) => void,
  use: (kafka: ScratchKafka) => Promise<Result>,
): Promise<Result> {
  const settings = { 'group.initial.rebalance.delay.ms': String(joinTogetherMs) };
  const broker = await startKafkaBroker({ say, settings });
  const url = `kafka://${broker.brokers}`;
  const topics = openTopics(url, openLog({ role: 'bench', level: 'warn' }));
  try {
    return await use({
      version: kafkaVersion,
      url,
      newTopics: async () => {
        const topicPrefix = `bench-${randomUUID().slice(0, 8)}.`;
        await applyTopics(topics, eventTopicsOf(topicPrefix));
        return topicPrefix;
      },
      countRecords: async (topicPrefix) => {
        const ends = await topics.endOffsets(eventTopicsOf(topicPrefix).map(({ name }) => name));
        return [...ends.values()].flatMap((end) => [...end.values()]).reduce((sum, end) => sum + end, 0);
      },
    });
  } finally {
    await broker.stop();
  }
}

function eventTopicsOf(topicPrefix: string): readonly TopicSettings[] {
  const published: ReadonlySet<string> = new Set(Object.values(eventTopics));
  return topicList
    .filter(({ name }) => published.has(name))
    .map((topic) => ({ ...topic, name: `${topicPrefix}${topic.name}` }));
}
