import { OperationalFailure } from '../failures.ts';
import type { ParkedStream } from './parking.ts';

/** Streams that one consumer may park within a minute: more is a bad deploy, which must not park everyone. */
export const parkedPerMinuteMax = 50;
/** Streams of one consumer in all: so many are kept in mind by it, and asked for by readers of its view. */
export const parkedStreamsMax = 10_000;
const windowMs = 60_000;

export type ParkingLimit = {
  /**
   * Called before streams are parked.
   * @throws OperationalFailure PARKING_THRESHOLD: nothing may be parked, and the consumer stops before the event
   */
  admit(streams: number, parked: readonly ParkedStream[]): void;
};

/**
 * Counts by what is parked, not by what this process saw: a restart or another owner does not begin at 0. Once it
 * refused, it refuses until it was asked nothing for a minute; so a consumer that tries again and again parks no one.
 */
export function openParkingLimit(consumer: string, now: () => number = Date.now): ParkingLimit {
  let refusedAtMs = -Infinity;
  return {
    admit: (streams, parked) => {
      const recent = parked.filter(({ since }) => Date.parse(since) > now() - windowMs).length;
      const isOpen = refusedAtMs <= now() - windowMs;
      const fits = recent + streams <= parkedPerMinuteMax && parked.length + streams <= parkedStreamsMax;
      if (isOpen && fits) return;
      refusedAtMs = now();
      throw new OperationalFailure(
        'PARKING_THRESHOLD',
        `${consumer} would park ${streams} more, after ${recent} within a minute and ${parked.length} in all`,
        { retryable: true },
      );
    },
  };
}
