import type { StreamName } from '../../schemas/ids.ts';
import { OperationalFailure } from '../failures.ts';

/**
 * One command at a time for each stream: a later one is decided on what the earlier one stored, instead of losing a
 * race against it. Streams do not wait for each other.
 */
export type StreamQueue = {
  run<T>(stream: StreamName, work: () => Promise<T>): Promise<T>;
  size(): number;
};

/** @param waitingMax commands queued or running over all streams; one more is refused with OVERLOADED */
export function streamQueue(waitingMax: number): StreamQueue {
  const tails = new Map<StreamName, Promise<unknown>>();
  let size = 0;
  return {
    size: () => size,
    run: async (stream, work) => {
      if (size >= waitingMax) throw new OperationalFailure('OVERLOADED', `${size} commands wait`, { retryable: true });
      size += 1;
      const before = tails.get(stream);
      const turn = before === undefined ? work() : before.then(work, work);
      tails.set(stream, turn);
      try {
        return await turn;
      } finally {
        size -= 1;
        if (tails.get(stream) === turn) tails.delete(stream);
      }
    },
  };
}
