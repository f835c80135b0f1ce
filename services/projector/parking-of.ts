import { parkingOf as parkingOfBatch, type ParkingOfBatch, type Waiting } from '../../infra/read-store/left-behind.ts';
import type { Document } from '../../infra/read-store/port.ts';
import type { StreamName } from '../../schemas/ids.ts';
import type { FoldedEvents } from './fold-events.ts';
import type { NewEvents } from './new-events.ts';
import type { Owned } from './owned.ts';

export type ParkingOptions<D extends Document> = {
  readonly consumer: string;
  readonly owned: Owned<D>;
  readonly fresh: NewEvents;
  readonly folded: FoldedEvents<D>;
  readonly nowMs: number;
};

/** What a batch leaves behind: streams that stop in it, and later events of those that stopped before. */
export function parkingOf<D extends Document>(options: ParkingOptions<D>): ParkingOfBatch {
  const { consumer, owned, fresh, folded, nowMs } = options;
  const stopped = bothWaiting(folded.waiting, fresh.waiting);
  return parkingOfBatch({ consumer, nowMs, parked: owned.parked, late: fresh.late, stopped });
}

/** A stream may stop by its history after an event that stops it in the fold: the earlier one tells. */
function bothWaiting(
  folded: ReadonlyMap<StreamName, Waiting>,
  fresh: ReadonlyMap<StreamName, Waiting>,
): ReadonlyMap<StreamName, Waiting> {
  if (fresh.size === 0) return folded;
  const stopped = new Map(folded);
  for (const [stream, later] of fresh) {
    const earlier = folded.get(stream);
    stopped.set(stream, earlier === undefined ? later : { ...earlier, events: [...earlier.events, ...later.events] });
  }
  return stopped;
}
