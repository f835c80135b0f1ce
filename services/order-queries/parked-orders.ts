import { within } from '../../infra/within.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { orderStream, type OrderId, type StreamName, type TenantId } from '../../schemas/ids.ts';

export type ParkedOrders = {
  /** Whether the order's later events wait for a repair. Never fails; asks at most once a second, for all readers. */
  has(orderId: OrderId): Promise<boolean>;
  /** Whether any order of the tenant waits so: what is added up over orders may then lack something. */
  hasAnyOf(tenantId: TenantId): Promise<boolean>;
  /** The answer, saying so where it is. */
  told<Answer extends Told>(orderId: OrderId, answer: Answer): Promise<Answer>;
};

type Told = { readonly asOf: { readonly parked: boolean } };

export type ParkedOrdersOptions = {
  /** Whose view left them behind; order-summary if absent. */
  readonly view?: string;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
};

const sampleEveryMs = 1_000;
/** What a reader waits for a sample at most, where the last is too old to tell. */
const waitMaxMs = 250;

/**
 * Remembers which orders a view left behind, discarded ones too: mostly none, and few at most, since a projector that
 * would park many stops. Answers from the last sample and takes the next behind the reader's back.
 */
export function openParkedOrders(
  readStore: Pick<ReadStore, 'parking'>,
  { view = orderSummary.view.name, now = performance.now.bind(performance) }: ParkedOrdersOptions = {},
): ParkedOrders {
  let parked: Sample = { streams: new Set(), tenants: new Set() };
  let takenAtMs = -Infinity;
  let asking: Promise<void> | null = null;
  const ask = async (): Promise<void> => {
    try {
      const found = await readStore.parking.streams(view);
      parked = {
        streams: new Set(found.map(({ stream }) => stream)),
        tenants: new Set(found.map(({ tenantId }) => tenantId)),
      };
    } catch {
      // Whoever reads the view itself meets the same failure and reports it; what was known last stays.
    } finally {
      takenAtMs = now();
      asking = null;
    }
  };
  const current = async (): Promise<Sample> => {
    const ageMs = now() - takenAtMs;
    if (ageMs > sampleEveryMs) asking ??= ask();
    if (ageMs > 2 * sampleEveryMs && asking !== null) await within(waitMaxMs, asking);
    return parked;
  };
  const has = async (orderId: OrderId): Promise<boolean> => (await current()).streams.has(orderStream(orderId));
  return {
    has,
    hasAnyOf: async (tenantId) => (await current()).tenants.has(tenantId),
    told: async (orderId, answer) =>
      answer.asOf.parked || !(await has(orderId)) ? answer : { ...answer, asOf: { ...answer.asOf, parked: true } },
  };
}

type Sample = { readonly streams: ReadonlySet<StreamName>; readonly tenants: ReadonlySet<TenantId> };
