import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import { OperationalFailure } from '../failures.ts';
import { lagOf, lookAt, newAssignment, setPlace, type Assignment } from './assignment.ts';
import { deliver, settledOf } from './deliver.ts';
import { isDriverError, kafkaFailure } from './failure.ts';
import { byTopic, nameOf, offsetsOf } from './partitions.ts';
import type { AssignedPartition, Consumption, PartitionLag, TopicPartition } from './port.ts';

export type MemberOptions = {
  readonly consumer: Pick<Consumer, 'pause' | 'resume' | 'seek' | 'commitOffsets'>;
  readonly admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>;
  readonly consumption: Consumption;
  /** The consumption cannot go on: it ends with the first of these. */
  readonly fail: (error: unknown) => void;
};

/** One process's part in a group: what it was given, where it stands, and what it has in hand. */
export type Member = {
  /** The group gave it these partitions, and took all others. */
  assigned(partitions: readonly TopicPartition[]): void;
  handle(payload: EachBatchPayload): Promise<void>;
  /** Compares with the broker's offsets: what was emptied starts anew, and what is stuck fails. */
  look(): Promise<void>;
  /** Commits what was settled after its batch. */
  commit(): Promise<void>;
  isBusy(): boolean;
  lag(): readonly PartitionLag[];
  /** Gives up its partitions; resolves when nothing is in hand any more. */
  leave(): Promise<void>;
};

export function openMember(options: MemberOptions): Member {
  const { consumer, admin, consumption, fail } = options;
  const inHand = new Set<Promise<void>>();
  let current = newAssignment([]);

  const settled = (): Promise<unknown> => Promise.allSettled(inHand);
  const place = (assignment: Assignment, partitions: readonly TopicPartition[]): void => {
    if (consumption.startAt === undefined || partitions.length === 0) return;
    consumer.pause(byTopic(partitions));
    startPlaces(options, { assignment, partitions, settled, isCurrent: () => assignment === current }).catch(
      (error: unknown) => {
        if (assignment === current) fail(isDriverError(error) ? kafkaFailure(error, 'the offsets of topics') : error);
      },
    );
  };
  const handle = async (payload: EachBatchPayload): Promise<void> => {
    const assignment = current;
    try {
      await deliver({
        consumption,
        payload,
        assignment,
        isCurrent: () => assignment === current,
        seek: ({ topic, partition }, offset) => consumer.seek({ topic, partition, offset: String(offset) }),
        relocate: (partition) => place(assignment, [partition]),
      });
    } catch (error) {
      // The driver joins the group again, or starts its fetching anew, after an error of its own.
      if (isDriverError(error)) throw error;
      fail(error);
    }
  };
  return {
    assigned: (partitions) => {
      current.lost.abort();
      current = newAssignment(partitions);
      place(current, partitions);
    },
    handle: async (payload) => {
      const work = handle(payload);
      inHand.add(work);
      try {
        await work;
      } finally {
        inHand.delete(work);
      }
    },
    look: async () => {
      const assignment = current;
      const offsets = await offsetsOf(admin, consumption.topics);
      await placeIdle(options, assignment, offsets);
      if (assignment !== current || inHand.size > 0) return;
      const found = (each: TopicPartition) => lookAt(assignment.places.get(nameOf(each)), offsets.get(nameOf(each)));
      const looks = Map.groupBy(assignment.partitions, found);
      place(assignment, looks.get('emptied') ?? []);
      const stuck = looks.get('stuck')?.[0];
      if (stuck === undefined) return;
      fail(new OperationalFailure('KAFKA_UNAVAILABLE', `records of ${nameOf(stuck)} do not come`, { retryable: true }));
    },
    commit: () => commitSettled(options, current),
    isBusy: () => inHand.size > 0,
    lag: () => lagOf(current),
    leave: async () => {
      current.lost.abort();
      current = newAssignment([]);
      await settled();
    },
  };
}

/** Where the driver starts by itself, a partition of which it brought nothing yet stands where the group's offset is. */
async function placeIdle(
  { admin, consumption: { group, startAt } }: MemberOptions,
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

/** What was settled after its batch: no other batch may come for long. */
async function commitSettled({ consumer, consumption }: MemberOptions, assignment: Assignment): Promise<void> {
  if (assignment.lost.signal.aborted) return;
  const settled = assignment.partitions.flatMap((partition) => {
    const place = assignment.places.get(nameOf(partition));
    if (place === undefined) return [];
    const offset = settledOf(consumption, partition, place);
    return offset > (place.committedOffset ?? -1) ? [{ partition, place, offset }] : [];
  });
  if (settled.length === 0) return;
  await consumer.commitOffsets(settled.map(({ partition, offset }) => ({ ...partition, offset: String(offset) })));
  for (const { place, offset } of settled) place.committedOffset = Math.max(offset, place.committedOffset ?? -1);
}

type Starting = {
  readonly assignment: Assignment;
  readonly partitions: readonly TopicPartition[];
  readonly settled: () => Promise<unknown>;
  readonly isCurrent: () => boolean;
};

/** The partitions are paused: nothing of them is fetched before their start is known. */
async function startPlaces(
  { consumer, admin, consumption: { startAt, topics } }: MemberOptions,
  { assignment, partitions, settled, isCurrent }: Starting,
): Promise<void> {
  if (startAt === undefined) return;
  // What an earlier assignment left in hand may still move where this one starts.
  await settled();
  const offsets = await offsetsOf(admin, topics);
  const starts = await Promise.all(
    partitions.map(async (each) => {
      const { first = 0, end = 0 } = offsets.get(nameOf(each)) ?? {};
      return { ...each, endOffset: end, nextOffset: await startAt({ ...each, first, end }) };
    }),
  );
  if (!isCurrent()) return;
  for (const { topic, partition, nextOffset, endOffset } of starts) {
    setPlace(assignment, { topic, partition }, { nextOffset, endOffset });
    consumer.seek({ topic, partition, offset: String(nextOffset) });
  }
  consumer.resume(byTopic(partitions));
}
