import type { EventStore } from '../../infra/event-store/port.ts';
import type { StreamName } from '../../schemas/ids.ts';
import type { StockEvent } from '../../schemas/generated/events.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import { evolve, untracked, type StockState } from './stock.ts';

/** One read of a stream; the port's greatest. */
const pageMax = 10_000;

/** The stock as it was at a version: what a replayed answer shows again. */
export async function readStockAt(store: EventStore, stream: StreamName, version: number): Promise<StockState> {
  let state = untracked;
  for (let fromRevision = 0; fromRevision < version; fromRevision += pageMax) {
    const limit = Math.min(pageMax, version - fromRevision);
    for (const event of await store.readStream({ stream, fromRevision, limit })) {
      state = evolve(state, event as Recorded<StockEvent>);
    }
  }
  return state;
}
