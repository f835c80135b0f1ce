import type { EventStore } from '../../../infra/event-store/port.ts';
import type { ReadStore } from '../../../infra/read-store/port.ts';
import type { Projection } from '../../../projections/projection.ts';
import { runProjector } from '../../projector/projector.ts';
import { CommandFailure } from '../failure.ts';
import { openFeedToHead } from './feed-to-head.ts';

export type RebuildOptions = {
  readonly store: Pick<EventStore, 'readLog' | 'readStream' | 'head' | 'comparePositions'>;
  readonly readStore: ReadStore;
  readonly projection: Projection;
  readonly signal: AbortSignal;
  /** How many events are in the view so far. */
  readonly onProgress?: (events: number) => void;
  /** 5,000 if absent: larger batches write each document less often. */
  readonly batchMax?: number;
};

/** The database may be away for so many tries in a row, some 30 s; the checkpoint keeps what is done. */
const failuresMax = 8;

/**
 * Empties a view and fills it from the log up to its head, by the projector itself. Aborted or killed at any moment it
 * leaves what a projector leaves: rows up to a checkpoint, from which the next start goes on.
 * @returns how many events are in the view
 * @throws CommandFailure where another projector keeps the view at the same time; the signal's reason
 */
export async function rebuildView(options: RebuildOptions): Promise<number> {
  const { store, readStore, projection, signal, onProgress, batchMax = 5_000 } = options;
  await readStore.clear(projection.view);
  const giveUp = new AbortController();
  let events = 0;
  let failures = 0;
  await runProjector({
    ...{ store, readStore, projection, batchMax },
    feed: await openFeedToHead(store),
    signal: AbortSignal.any([signal, giveUp.signal]),
    observe: {
      onBatch: ({ applied }) => {
        failures = 0;
        events += applied;
        onProgress?.(events);
      },
      onFailure: ({ failure }) => {
        failures += 1;
        const reason = giveUpReason(projection, failure, failures);
        if (reason !== null) giveUp.abort(reason);
      },
    },
  });
  signal.throwIfAborted();
  giveUp.signal.throwIfAborted();
  return events;
}

function giveUpReason(
  { view }: Projection,
  failure: Error & { readonly code: string },
  failures: number,
): Error | null {
  if (failure.code === 'CHECKPOINT_MOVED') return new CommandFailure(`a projector keeps ${view.name}: stop it first`);
  return failures >= failuresMax ? failure : null;
}
