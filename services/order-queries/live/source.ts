import type { EventStore } from '../../../infra/event-store/port.ts';
import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';
import { orderStream, type Category, type OrderId, type TenantId } from '../../../schemas/ids.ts';
import type { Interest } from './hub.ts';

export type Subject =
  | { readonly kind: 'order'; readonly tenantId: TenantId; readonly orderId: OrderId }
  | {
      readonly kind: 'tenant';
      readonly tenantId: TenantId;
      readonly categories: readonly Category[];
      readonly types?: readonly string[] | undefined;
    };

/** What one client follows, and how far it came: first read from the store in pages, then heard from the hub. */
export type Source = Interest & {
  /** The next of what the store has, after what was read or heard before. */
  read(): Promise<ReadPage>;
  /** Whether an event that was heard comes after all that was read; it then counts as read. */
  take(event: RecordedEvent): boolean;
};

export type ReadPage = {
  readonly events: readonly RecordedEvent[];
  readonly atEnd: boolean;
  /** Whether everything up to a position is read. */
  reaches(position: Position | null): boolean;
};

/** One read of the store for one client: what it may hold of events that it did not take yet. */
const pageMax = 100;

type Log = Pick<EventStore, 'readLog' | 'readStream' | 'comparePositions'>;

/** @param after exclusive; null: an order from its placement, a tenant from the log's beginning */
export function openSource(store: Log, subject: Subject, after: Position | null): Source {
  return subject.kind === 'order' ? orderSource(store, subject, after) : tenantSource(store, subject, after);
}

function tenantSource(
  store: Log,
  { tenantId, categories, types }: Extract<Subject, { readonly kind: 'tenant' }>,
  begin: Position | null,
): Source {
  let after = begin;
  const isAfter = (position: Position | null): boolean =>
    position !== null && (after === null || store.comparePositions(position, after) > 0);
  const wants = ({ tenantId: whose, stream, type }: RecordedEvent): boolean =>
    whose === tenantId && categories.some((name) => stream.startsWith(`${name}-`)) && types?.includes(type) !== false;
  return {
    topic: `tenant ${tenantId}`,
    wants,
    read: async () => {
      const filter = { categories, ...(types === undefined ? {} : { types }) };
      const page = await store.readLog({ after, ...filter, limit: pageMax });
      // A page begun at an event that the log's fence still hides ends before it: one never goes back.
      if (isAfter(page.checkpoint)) after = page.checkpoint;
      return { events: page.events.filter(wants), atEnd: page.atEnd, reaches: (position) => !isAfter(position) };
    },
    take: ({ position }) => {
      if (!isAfter(position)) return false;
      after = position;
      return true;
    },
  };
}

/** The stream itself is read, for the log is long; it may be ahead of the log's fence, so what is heard goes by revision. */
function orderSource(
  store: Log,
  { tenantId, orderId }: Extract<Subject, { readonly kind: 'order' }>,
  after: Position | null,
): Source {
  const stream = orderStream(orderId);
  let next = 0;
  const isAfter = ({ position }: RecordedEvent): boolean =>
    after === null || store.comparePositions(position, after) > 0;
  return {
    topic: `order ${stream}`,
    wants: (event) => event.tenantId === tenantId,
    read: async () => {
      const page = await store.readStream({ stream, fromRevision: next, limit: pageMax });
      next += page.length;
      const atEnd = page.length < pageMax;
      const events = page.filter((event) => event.tenantId === tenantId && isAfter(event));
      // A stream's end holds all that the hub had handed out before it was read.
      return { events, atEnd, reaches: () => atEnd };
    },
    take: (event) => {
      if (event.revision < next) return false;
      next = event.revision + 1;
      return isAfter(event);
    },
  };
}
