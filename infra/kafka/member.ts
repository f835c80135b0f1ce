import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import { OperationalFailure } from '../failures.ts';
import { lagOf, lookAt, newAssignment, type Assignment } from './assignment.ts';
import { deliver, settledOf } from './deliver.ts';
import { isDriverError } from './failure.ts';
import { nameOf, offsetsOf } from './partitions.ts';
import { openPlacing, placeIdle, type Placing } from './places.ts';
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
  readonly assigned: (partitions: readonly TopicPartition[]) => void;
  readonly handle: (payload: EachBatchPayload) => Promise<void>;
  /** Compares with the broker's offsets: what was emptied starts anew, and what is stuck fails. */
  readonly look: () => Promise<void>;
  /** Commits what was settled after its batch. */
  readonly commit: () => Promise<void>;
  readonly isBusy: () => boolean;
  readonly lag: () => readonly PartitionLag[];
  /** Gives up its partitions; resolves when nothing is in hand any more. */
  readonly leave: () => Promise<void>;
};

export function openMember(options: MemberOptions): Member {
  const { admin, consumption } = options;
  const inHand = new Set<Promise<void>>();
  let current = newAssignment([]);
  const isCurrent = (assignment: Assignment): boolean => assignment === current;
  const settled = (): Promise<unknown> => Promise.allSettled(inHand);
  const place = openPlacing({ ...options, isCurrent, settled });
  const handle = openHandling({ ...options, isCurrent, place });
  return {
    assigned: (partitions) => {
      current.lost.abort();
      current = newAssignment(partitions);
      place(current, partitions);
    },
    handle: async (payload) => {
      const work = handle(payload, current);
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
      if (isCurrent(assignment) && inHand.size === 0) judge({ ...options, place }, assignment, offsets);
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

type HandlingOptions = MemberOptions & {
  readonly isCurrent: (assignment: Assignment) => boolean;
  readonly place: Placing;
};

function openHandling({
  consumer,
  consumption,
  fail,
  isCurrent,
  place,
}: HandlingOptions): (payload: EachBatchPayload, assignment: Assignment) => Promise<void> {
  return async (payload, assignment) => {
    try {
      await deliver({
        consumption,
        payload,
        assignment,
        isCurrent: () => isCurrent(assignment),
        seek: ({ topic, partition }, offset) => {
          consumer.seek({ topic, partition, offset: String(offset) });
        },
        relocate: (partition) => {
          place(assignment, [partition]);
        },
      });
    } catch (error) {
      // The driver joins the group again, or starts its fetching anew, after an error of its own.
      if (isDriverError(error)) throw error;
      fail(error);
    }
  };
}

function judge(
  { fail, place }: Pick<HandlingOptions, 'fail' | 'place'>,
  assignment: Assignment,
  offsets: ReadonlyMap<string, AssignedPartition>,
): void {
  const found = (each: TopicPartition) => lookAt(assignment.places.get(nameOf(each)), offsets.get(nameOf(each)));
  const looks = Map.groupBy(assignment.partitions, found);
  place(assignment, looks.get('emptied') ?? []);
  const stuck = looks.get('stuck')?.[0];
  if (stuck === undefined) return;
  fail(new OperationalFailure('KAFKA_UNAVAILABLE', `records of ${nameOf(stuck)} do not come`, { retryable: true }));
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
