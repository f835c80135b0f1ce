import type { Admin, Consumer } from 'kafkajs';
import { setPlace, type Assignment } from './assignment.ts';
import { isDriverError, kafkaFailure } from './failure.ts';
import { byTopic, nameOf, offsetsOf } from './partitions.ts';
import type { AssignedPartition, Consumption, TopicPartition } from './port.ts';

export type PlacingOptions = {
  readonly consumer: Pick<Consumer, 'pause' | 'resume' | 'seek'>;
  readonly admin: Pick<Admin, 'fetchTopicOffsets'>;
  readonly consumption: Pick<Consumption, 'startAt' | 'topics'>;
  readonly fail: (error: unknown) => void;
  readonly isCurrent: (assignment: Assignment) => boolean;
  /** Resolves when nothing is in hand. */
  readonly settled: () => Promise<unknown>;
};

/** Finds out where partitions start; until then nothing of them is fetched. */
export type Placing = (assignment: Assignment, partitions: readonly TopicPartition[]) => void;

export function openPlacing(options: PlacingOptions): Placing {
  const { consumer, consumption, fail, isCurrent } = options;
  return (assignment, partitions) => {
    if (consumption.startAt === undefined || partitions.length === 0) return;
    consumer.pause(byTopic(partitions));
    startPlaces(options, consumption.startAt, { assignment, partitions }).catch((error: unknown) => {
      if (isCurrent(assignment)) fail(isDriverError(error) ? kafkaFailure(error, 'the offsets of topics') : error);
    });
  };
}

type Starting = { readonly assignment: Assignment; readonly partitions: readonly TopicPartition[] };

async function startPlaces(
  { consumer, admin, consumption: { topics }, isCurrent, settled }: PlacingOptions,
  startAt: NonNullable<Consumption['startAt']>,
  { assignment, partitions }: Starting,
): Promise<void> {
  // What an earlier assignment left in hand may still move where this one starts.
  await settled();
  const offsets = await offsetsOf(admin, topics);
  const starts = await Promise.all(
    partitions.map(async (each) => {
      const { first = 0, end = 0 } = offsets.get(nameOf(each)) ?? {};
      return { ...each, endOffset: end, nextOffset: await startAt({ ...each, first, end }) };
    }),
  );
  if (!isCurrent(assignment)) return;
  for (const { topic, partition, nextOffset, endOffset } of starts) {
    setPlace(assignment, { topic, partition }, { nextOffset, endOffset });
    consumer.seek({ topic, partition, offset: String(nextOffset) });
  }
  consumer.resume(byTopic(partitions));
}

export type IdleOptions = {
  readonly admin: Pick<Admin, 'fetchOffsets'>;
  readonly consumption: Pick<Consumption, 'group' | 'startAt'>;
};

/** Where the driver starts by itself, a partition of which it brought nothing yet stands where the group's offset is. */
export async function placeIdle(
  { admin, consumption: { group, startAt } }: IdleOptions,
  assignment: Assignment,
  offsets: ReadonlyMap<string, AssignedPartition>,
): Promise<void> {
  const idle = assignment.partitions.filter((each) => !assignment.places.has(nameOf(each)));
  if (startAt !== undefined || idle.length === 0) return;
  const committed = await admin.fetchOffsets({ groupId: group, topics: byTopic(idle).map(({ topic }) => topic) });
  for (const each of idle) {
    const broker = offsets.get(nameOf(each));
    if (broker === undefined || assignment.places.has(nameOf(each))) continue;
    const ofTopic = committed.find(({ topic }) => topic === each.topic)?.partitions;
    const offset = Number(ofTopic?.find(({ partition }) => partition === each.partition)?.offset ?? -1);
    setPlace(assignment, each, { nextOffset: offset < 0 ? broker.first : offset, endOffset: broker.end });
  }
}
