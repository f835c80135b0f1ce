import type { Admin } from 'kafkajs';
import type { AssignedPartition, TopicPartition } from './port.ts';

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

export function partitionsOf(assignment: Readonly<Record<string, readonly number[]>>): readonly TopicPartition[] {
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}

/** What the driver wants where it takes partitions: one entry a topic. */
export function byTopic(
  partitions: readonly TopicPartition[],
): { readonly topic: string; readonly partitions: number[] }[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, group]) => ({
    topic,
    partitions: group.map(({ partition }) => partition),
  }));
}

/** Where the broker's logs begin and end, by name. Two requests a topic. */
export async function offsetsOf(
  admin: Pick<Admin, 'fetchTopicOffsets'>,
  topics: Iterable<string>,
): Promise<ReadonlyMap<string, AssignedPartition>> {
  const found = new Map<string, AssignedPartition>();
  for (const topic of new Set(topics)) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      found.set(nameOf({ topic, partition }), { topic, partition, first: Number(low), end: Number(high) });
    }
  }
  return found;
}
