import { setTimeout as sleep } from 'node:timers/promises';

import type { EventStore } from '../event-store/port.ts';
import { isOperationalFailure } from '../failures.ts';
import type { OrderSnapshots, WriterMark } from '../order-snapshots/port.ts';
import { descriptionOf, foreign } from './refuse-foreign-store.ts';

export type CacheWitness = {
  readonly store: Pick<EventStore, 'epoch' | 'formerEpochs' | 'readLog'>;
  readonly snapshots: Pick<OrderSnapshots, 'beginWriting' | 'status'>;
};

/** A cache that is there is connected by then. One that is not stops nobody. */
const connectMs = 1_000;
const lookEveryMs = 10;

/**
 * Asks the mark of a shared cache, which outlives a database that was emptied or set back together with its views. A
 * mark of another store is no reason where this one has events: the snapshot writer drops what that one left.
 * @throws OperationalFailure FOREIGN_STORE; those of the store
 */
export async function refuseForeignCache({ store, snapshots }: CacheWitness): Promise<void> {
  const mark = await markOf(snapshots);
  if (mark === null) return;
  if (mark.epoch === store.epoch) return refuseUnlessSeen(store, mark);
  if (store.formerEpochs.includes(mark.epoch)) return;
  const { events } = await store.readLog({ after: null, limit: 1 });
  if (events.length > 0) return;
  throw foreign(`the order snapshots are of the event store with epoch ${mark.epoch}; ${await descriptionOf(store)}`);
}

async function markOf(snapshots: CacheWitness['snapshots']): Promise<WriterMark | null> {
  if (snapshots.status().kind === 'memory') return null;
  const giveUpAt = Date.now() + connectMs;
  while (!snapshots.status().isUp && Date.now() < giveUpAt) await sleep(lookEveryMs);
  try {
    // Nothing is written, so a writer that runs keeps its hold.
    const writing = await snapshots.beginWriting();
    await writing.end();
    return writing.mark;
  } catch (error) {
    if (isOperationalFailure(error, 'SNAPSHOTS_UNAVAILABLE')) return null;
    throw error;
  }
}

async function refuseUnlessSeen(store: CacheWitness['store'], { checkpoint }: WriterMark): Promise<void> {
  try {
    await store.readLog({ after: checkpoint, limit: 1 });
  } catch (error) {
    if (!isOperationalFailure(error, 'FOREIGN_STORE')) throw error;
    const detail = `the order snapshots were written up to ${checkpoint}, and this event store has no such event`;
    throw foreign(`${detail}: it was set back to an older state`, error);
  }
}
