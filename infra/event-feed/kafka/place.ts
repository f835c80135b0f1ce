import { crc32 } from 'node:zlib';
import type { IncomingRecord } from '../../kafka/port.ts';
import type { Position } from '../../../schemas/envelope.ts';
import type { Checkpoint } from '../port.ts';
import { feedMark, storePositionOf } from '../store-position.ts';

/**
 * Where a consumer stands in a partition, written `<position>@<offset>.<print>`. A topic has no name for its own
 * contents: one that was emptied and filled again may be longer than before. So the record before the offset is
 * remembered by a print of it, and looked at again before anything is read on.
 */
export type Place = {
  /** Of the last event of the store that was read; null: none could be. It carries the store's epoch. */
  readonly position: Position | null;
  /** The next record. */
  readonly offset: number;
  /** Of the record at `offset - 1`. */
  readonly print: string;
};

const shape = /@(?<offset>[1-9]\d{0,15})\.(?<print>[0-9a-f]{8})$/;

export function toCheckpoint({ position, offset, print }: Place): Checkpoint {
  return `${position ?? ''}${feedMark}${offset}.${print}` as Checkpoint;
}

/** null: not of this feed. */
export function toPlace(checkpoint: Checkpoint): Place | null {
  const { offset, print } = shape.exec(checkpoint)?.groups ?? {};
  if (offset === undefined || print === undefined) return null;
  return { position: storePositionOf(checkpoint), offset: Number(offset), print };
}

/** The same event that is published again is another record: its time differs, or else it is the same in every way. */
export function printOf({ timestampMs, key, value }: IncomingRecord): string {
  let sum = crc32(String(timestampMs));
  if (key !== null) sum = crc32(key, sum);
  if (value !== null) sum = crc32(value, sum);
  return sum.toString(16).padStart(8, '0');
}
