import { relayConsumer, type Checkpoint } from '../../infra/event-feed/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';

export type CheckpointMoves = Pick<ReadStore, 'loadCheckpoint' | 'moveCheckpoint' | 'forgetCheckpoint'>;

/** Where the relay stands, and the stored checkpoint on its way there: one move at a time. */
export type MovingCheckpoint = {
  /** Waits for a move of before, and asks the store anew. */
  load(): Promise<Checkpoint | null>;
  /** To begin again. @throws OperationalFailure CHECKPOINT_MOVED: another relay went on */
  forget(from: Checkpoint): Promise<void>;
  at(): Checkpoint | null;
  /** Kafka has everything up to here. Wait for `moved` before the next one. */
  move(to: Checkpoint): void;
  /** @throws OperationalFailure of the last move: CHECKPOINT_MOVED, VIEWS_UNAVAILABLE */
  moved(): Promise<void>;
  hasFailed(): boolean;
};

const partition = 'log';

export function openMovingCheckpoint(readStore: CheckpointMoves): MovingCheckpoint {
  let at: Checkpoint | null = null;
  let moving: Promise<void> = Promise.resolve();
  let failed = false;
  const move = async (from: Checkpoint | null, to: Checkpoint): Promise<void> => {
    if ((await readStore.moveCheckpoint({ consumer: relayConsumer, partition, from, to })) === 'moved') throw moved();
  };
  return {
    load: async () => {
      await moving.catch(() => undefined);
      moving = Promise.resolve();
      failed = false;
      at = await readStore.loadCheckpoint(relayConsumer, partition);
      return at;
    },
    forget: async (from) => {
      if ((await readStore.forgetCheckpoint({ consumer: relayConsumer, partition, from })) === 'moved') throw moved();
      at = null;
    },
    at: () => at,
    move: (to) => {
      if (to === at) return;
      moving = move(at, to);
      at = to;
      // It is told where it is waited for.
      moving.catch(() => {
        failed = true;
      });
    },
    moved: () => moving,
    hasFailed: () => failed,
  };
}

function moved(): OperationalFailure {
  return new OperationalFailure('CHECKPOINT_MOVED', relayConsumer, { retryable: true });
}
