import { within } from '../../infra/within.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { orderStream, type OrderId, type StreamName } from '../../schemas/ids.ts';
import type { OrderAnswer } from './answers.ts';

export type ParkedOrders = {
  /** Whether the order's later events wait for a repair. Never fails; asks at most once a second, for all readers. */
  has(orderId: OrderId): Promise<boolean>;
  /** The answer, saying so where it is. */
  told(orderId: OrderId, answer: OrderAnswer): Promise<OrderAnswer>;
};

const sampleEveryMs = 1_000;
/** What a reader waits for a sample at most, where the last is too old to tell. */
const waitMaxMs = 250;

/**
 * Remembers which orders the order view left behind: mostly none, and few at most, since a projector that would park
 * many stops. Answers from the last sample and takes the next behind the reader's back.
 */
export function openParkedOrders(
  readStore: Pick<ReadStore, 'parking'>,
  now: () => number = performance.now.bind(performance),
): ParkedOrders {
  let parked: ReadonlySet<StreamName> = new Set();
  let takenAtMs = -Infinity;
  let asking: Promise<void> | null = null;
  const ask = async (): Promise<void> => {
    try {
      const streams = await readStore.parking.streams(orderSummary.view.name);
      parked = new Set(streams.map(({ stream }) => stream));
    } catch {
      // Whoever reads the view itself meets the same failure and reports it; what was known last stays.
    } finally {
      takenAtMs = now();
      asking = null;
    }
  };
  const has = async (orderId: OrderId): Promise<boolean> => {
    const ageMs = now() - takenAtMs;
    if (ageMs > sampleEveryMs) asking ??= ask();
    if (ageMs > 2 * sampleEveryMs && asking !== null) await within(waitMaxMs, asking);
    return parked.has(orderStream(orderId));
  };
  return {
    has,
    told: async (orderId, answer) =>
      answer.asOf.parked || !(await has(orderId)) ? answer : { ...answer, asOf: { ...answer.asOf, parked: true } },
  };
}
