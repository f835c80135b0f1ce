import { storePositionOf } from '../../infra/event-feed/store-position.ts';
import type { EventStore, Position } from '../../infra/event-store/port.ts';
import type { ReadStore, StoredCheckpoint, View } from '../../infra/read-store/port.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { Projection } from '../../projections/projection.ts';
import { within } from '../../infra/within.ts';

export type ViewLag = {
  /** See AsOf.lagMs. Never fails; asks at most once a second. */
  currentMs(): Promise<number>;
};

const sampleEveryMs = 1_000;
/** What a reader waits for a sample at most, where the last is too old to tell. */
const waitMaxMs = 250;

export type ViewLagOptions = {
  /** Whose view; order-summary if absent. */
  readonly projection?: Measured;
  readonly now?: () => number;
};

type Measured = { readonly view: Pick<View, 'name'>; readonly categories: Projection['categories'] };

type Sample = { readonly takenAtMs: number; readonly oldestUnseenMs: number | null };

/**
 * Measures how far a view is behind the store, by the oldest order event after the projector's checkpoint: true
 * whichever process projects. Answers from the last sample and refreshes it behind the reader's back; while it cannot
 * be refreshed, the lag grows by the sample's age, for nothing newer is known.
 */
export function openViewLag(
  store: EventStore,
  readStore: ReadStore,
  { projection = orderSummary, now = Date.now }: ViewLagOptions = {},
): ViewLag {
  let sample: Sample | null = null;
  let asking: Promise<void> | null = null;
  const ask = async (): Promise<void> => {
    try {
      sample = { takenAtMs: now(), oldestUnseenMs: await oldestUnseen(store, readStore, projection) };
    } catch {
      // Whoever reads the order itself meets the same failure and reports it; here only the sample grows older.
      sample ??= { takenAtMs: now(), oldestUnseenMs: null };
    } finally {
      asking = null;
    }
  };
  return {
    currentMs: async () => {
      const ageMs = sample === null ? Infinity : now() - sample.takenAtMs;
      if (ageMs > sampleEveryMs) asking ??= ask();
      if (ageMs > 2 * sampleEveryMs && asking !== null) await within(waitMaxMs, asking);
      return lagOf(sample, now());
    },
  };
}

function lagOf(sample: Sample | null, nowMs: number): number {
  if (sample === null) return 0;
  if (sample.oldestUnseenMs !== null) return Math.max(0, nowMs - sample.oldestUnseenMs);
  const ageMs = nowMs - sample.takenAtMs;
  return ageMs > 2 * sampleEveryMs ? ageMs : 0;
}

/**
 * Epoch ms; null: the view has seen every order event. Of a view that several projectors share by partitions this is what
 * none of them has come to: a lower bound, for positions of idle partitions are old for another reason.
 */
async function oldestUnseen(
  store: EventStore,
  readStore: ReadStore,
  { view, categories }: Measured,
): Promise<number | null> {
  const after = furthest(
    store,
    (await readStore.checkpoints()).filter(({ consumer }) => consumer === view.name),
  );
  const { events } = await store.readLog({ after, categories, limit: 1 });
  const [oldest] = events;
  return oldest === undefined ? null : Date.parse(oldest.recordedAt);
}

function furthest(store: Pick<EventStore, 'comparePositions'>, places: readonly StoredCheckpoint[]): Position | null {
  return places
    .map(({ position }) => storePositionOf(position))
    .reduce(
      (far, each) => (far === null || (each !== null && store.comparePositions(each, far) > 0) ? each : far),
      null,
    );
}
