import type { Position } from '../../schemas/envelope.ts';
import { OperationalFailure } from '../failures.ts';

/**
 * Position = (epoch, tx, ordinal), written `<first 8 of the epoch>.<tx>.<ordinal>`. On Postgres tx is the append's xid8,
 * in memory 0. Opaque to all but the adapters.
 */
export type Place = { readonly tx: bigint; readonly ordinal: number };

/** What the widest adapter can hold: Postgres' xid8 and int4. */
const txMax = 2n ** 64n - 1n;
const ordinalMax = 2 ** 31 - 1;

const shape = /^([0-9a-f]{8})\.(\d{1,20})\.(\d{1,10})$/;

export function toPosition(epoch: string, place: Place): Position {
  return `${epoch.slice(0, 8)}.${place.tx}.${place.ordinal}` as Position;
}

/** @throws OperationalFailure FOREIGN_STORE where the position is of another epoch or not one at all */
export function toPlace(epoch: string, position: Position): Place {
  const match = shape.exec(position);
  const place = { tx: BigInt(match?.[2] ?? 0), ordinal: Number(match?.[3] ?? 0) };
  if (match?.[1] !== epoch.slice(0, 8) || place.tx > txMax || place.ordinal > ordinalMax) {
    throw new OperationalFailure('FOREIGN_STORE', `position ${position} is not of epoch ${epoch.slice(0, 8)}`, {
      retryable: false,
    });
  }
  return place;
}

/** Whether a text has a position's shape; a door asks before it hands one on. */
export function isPosition(text: string): text is Position {
  return shape.test(text);
}

export function comparePlaces(a: Place, b: Place): number {
  if (a.tx !== b.tx) return a.tx < b.tx ? -1 : 1;
  return a.ordinal - b.ordinal;
}
