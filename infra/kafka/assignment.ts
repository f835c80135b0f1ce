import { nameOf } from './partitions.ts';
import type { AssignedPartition, PartitionLag, TopicPartition } from './port.ts';

/** Where a partition stands in one assignment. */
export type Place = {
  /** Where the partition goes on. */
  nextOffset: number;
  /** As the broker said last. */
  endOffset: number;
  committedAtMs: number;
  /** null: nothing yet by this member. */
  committedOffset: number | null;
  /** Looks in a row that found records which the driver did not bring. */
  idleLooks: number;
};

/** What the group gave to a member at once. The next assignment is another object: what holds an old one sees it by that. */
export type Assignment = {
  readonly partitions: readonly TopicPartition[];
  /** By the partition's name; none before its start is known. */
  readonly places: Map<string, Place>;
  readonly lost: AbortController;
};

export function newAssignment(partitions: readonly TopicPartition[]): Assignment {
  return { partitions, places: new Map(), lost: new AbortController() };
}

export function setPlace(
  assignment: Assignment,
  partition: TopicPartition,
  at: Pick<Place, 'nextOffset' | 'endOffset'>,
): Place {
  const place = { ...at, committedAtMs: 0, committedOffset: null, idleLooks: 0 };
  assignment.places.set(nameOf(partition), place);
  return place;
}

export function lagOf({ partitions, places }: Assignment): readonly PartitionLag[] {
  return partitions.flatMap((each) => {
    const place = places.get(nameOf(each));
    return place === undefined ? [] : [{ ...each, records: Math.max(0, place.endOffset - place.nextOffset) }];
  });
}

/** So many looks in a row that find records which nobody brings: the driver is stuck. */
const idleLooksMax = 4;

/**
 * What the broker's own offsets tell of a partition: nothing new; that its topic was emptied behind the driver's back; or
 * that the driver brings nothing although there is something.
 */
export function lookAt(place: Place | undefined, broker: AssignedPartition | undefined): 'well' | 'emptied' | 'stuck' {
  if (place === undefined || broker === undefined) return 'well';
  place.endOffset = broker.end;
  if (broker.end < place.nextOffset) return 'emptied';
  place.idleLooks = broker.end > place.nextOffset ? place.idleLooks + 1 : 0;
  return place.idleLooks >= idleLooksMax ? 'stuck' : 'well';
}
