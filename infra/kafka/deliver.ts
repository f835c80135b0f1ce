import type { EachBatchPayload } from 'kafkajs';
import { isOperationalFailure } from '../failures.ts';
import { setPlace, type Assignment, type Place } from './assignment.ts';
import { nameOf } from './partitions.ts';
import type { Consumption, TopicPartition } from './port.ts';
import { incoming } from './records.ts';

/** Well within the session; the driver itself sends one only when its own interval has passed. */
const heartbeatEveryMs = 500;
/** How late the group's offset may be behind what was handled, while there is more to handle. */
const commitEveryMs = 1_000;

export type Delivery = {
  readonly consumption: Consumption;
  readonly payload: EachBatchPayload;
  readonly assignment: Assignment;
  readonly isCurrent: () => boolean;
  readonly seek: (partition: TopicPartition, offset: number) => void;
  /** The partition does not go on where it stood. */
  readonly relocate: (partition: TopicPartition) => void;
};

/**
 * Hands on what one fetch brought of one partition. Throws what the driver threw (it joins the group again then), or what
 * the handler did.
 */
export async function deliver(delivery: Delivery): Promise<void> {
  const { consumption, payload, assignment, isCurrent, relocate } = delivery;
  const { topic, partition, messages, highWatermark } = payload.batch;
  const place = placeOf(delivery, { topic, partition });
  // The driver starts from the first record where the one that it wants is gone, and tells nobody.
  if (consumption.startAt !== undefined && Number(messages[0]?.offset) < place.nextOffset) {
    relocate({ topic, partition });
    return;
  }
  place.endOffset = Number(highWatermark);
  for (let from = 0; from < messages.length; from += consumption.batchMax) {
    if (!payload.isRunning() || payload.isStale() || !isCurrent() || assignment.lost.signal.aborted) return;
    const part = messages.slice(from, from + consumption.batchMax);
    if (!(await deliverPart(delivery, place, part))) return;
  }
}

function placeOf({ assignment, payload }: Delivery, partition: TopicPartition): Place {
  const known = assignment.places.get(nameOf(partition));
  if (known !== undefined) return known;
  const nextOffset = Number(payload.batch.firstOffset() ?? 0);
  return setPlace(assignment, partition, { nextOffset, endOffset: nextOffset });
}

/** False: the partition goes on elsewhere. */
async function deliverPart(
  { consumption, payload, assignment, seek }: Delivery,
  place: Place,
  messages: EachBatchPayload['batch']['messages'],
): Promise<boolean> {
  const { topic, partition } = payload.batch;
  const last = messages.at(-1);
  if (last === undefined) return true;
  const nextOffset = Number(last.offset) + 1;
  const sought: number[] = [];
  await whileBeating(payload, assignment.lost, () =>
    consumption.handle({
      topic,
      partition,
      records: messages.map((message) => incoming({ topic, partition }, message)),
      nextOffset,
      endOffset: place.endOffset,
      lost: assignment.lost.signal,
      seek: (offset) => {
        sought.push(offset);
      },
    }),
  );
  place.idleLooks = 0;
  const elsewhere = sought.at(-1);
  if (elsewhere !== undefined) {
    place.nextOffset = elsewhere;
    seek({ topic, partition }, elsewhere);
    return false;
  }
  place.nextOffset = nextOffset;
  payload.resolveOffset(last.offset);
  await commit(payload, place, settledOf(consumption, { topic, partition }, place));
  return true;
}

/** How far the group's offset may go. */
export function settledOf({ settledTo }: Consumption, partition: TopicPartition, { nextOffset }: Place): number {
  return settledTo === undefined ? nextOffset : settledTo(partition, nextOffset);
}

async function commit(payload: EachBatchPayload, place: Place, settled: number): Promise<void> {
  const now = Date.now();
  if (place.nextOffset < place.endOffset && now - place.committedAtMs < commitEveryMs) return;
  const { topic, partition } = payload.batch;
  const offset = String(settled);
  await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
  place.committedAtMs = now;
  place.committedOffset = settled;
}

/** The group hears from us while the work takes its time; where it no longer wants to, its answer goes before ours. */
async function whileBeating(
  payload: EachBatchPayload,
  lost: AbortController,
  work: () => Promise<void>,
): Promise<void> {
  const refused: unknown[] = [];
  const timer = setInterval(() => {
    payload.heartbeat().catch((error: unknown) => {
      refused.push(error);
      if (isTakenAway(error)) lost.abort();
    });
  }, heartbeatEveryMs);
  try {
    await work();
  } catch (error) {
    if (refused.length === 0 || !isOperationalFailure(error)) throw error;
  } finally {
    clearInterval(timer);
  }
  if (refused.length > 0) throw refused[0];
}

const takenAway: ReadonlySet<unknown> = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']);

function isTakenAway(error: unknown): boolean {
  return error instanceof Error && takenAway.has((error as { readonly type?: unknown }).type);
}
