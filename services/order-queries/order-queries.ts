import type { EventStore } from '../../infra/event-store/port.ts';
import { snapshotWriter, type OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { ErrorCode } from '../../schemas/error-codes.ts';
import { orderIdOfStream, type CommandId, type OrderId, type TenantId } from '../../schemas/ids.ts';
import { openCursors } from './cursor.ts';
import { readEvents, type EventsPage, type EventsQuery } from './event-feed-page.ts';
import { readOrderEvents } from './fold-order.ts';
import { getOrder, type GetAnswer, type GetOptions, type QueryObserver } from './get-order.ts';
import { listOrders, type OrderFilters, type OrderPage, type PageRequest, type Refused } from './list-orders.ts';
import { openParkedOrders } from './parked-orders.ts';
import { openSummaryAt, type SummaryAt } from './summary-at.ts';
import { openViewLag } from './view-lag.ts';
import { openViewReader } from './view-reader.ts';

export type CommandOutcome = {
  readonly commandId: CommandId;
  readonly outcome: 'accepted' | 'rejected';
  readonly code?: ErrorCode;
  /** null: a command on stock. */
  readonly orderId: OrderId | null;
  readonly version: number;
};

/** What readers ask. Another tenant's orders, commands and events are never there. */
export type OrderQueries = {
  /** Never older than `minVersion`. Throws OperationalFailure STORE_UNAVAILABLE where nothing can tell. */
  get(tenantId: TenantId, orderId: OrderId, options?: GetOptions): Promise<GetAnswer>;
  /** Newest first. Rejects with INVALID_CURSOR. Throws OperationalFailure VIEWS_UNAVAILABLE. */
  list(tenantId: TenantId, filters: OrderFilters, page: PageRequest): Promise<OrderPage | Refused>;
  /** The events of `order-<orderId>`, oldest first, sealed fields closed; null: no such order. */
  history(tenantId: TenantId, orderId: OrderId): Promise<readonly RecordedEvent[] | null>;
  /** A page of the analysts' feed. Rejects with INVALID_CURSOR. */
  events(query: EventsQuery): Promise<EventsPage | Refused>;
  /** null: no command with this id has an answer. */
  command(tenantId: TenantId, commandId: CommandId): Promise<CommandOutcome | null>;
  readonly summaryAt: SummaryAt;
};

export type OpenOrderQueriesOptions = {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly snapshots: OrderSnapshots;
  /** Signs cursors: the same for all processes that answer one origin. */
  readonly cursorSecret: string;
  readonly observe?: QueryObserver;
  /** How long one read of the view may take before the store is asked. 1,000 ms if absent. */
  readonly viewTimeoutMs?: number;
};

/** How long the view is left alone after it failed. */
const viewPauseMs = 1_000;

export function openOrderQueries(options: OpenOrderQueriesOptions): OrderQueries {
  const { store, readStore, snapshots, observe = {}, viewTimeoutMs = 1_000 } = options;
  const viewLag = openViewLag(store, readStore);
  const snapshotLag = openViewLag(store, readStore, { consumer: snapshotWriter });
  const parkedOrders = openParkedOrders(readStore);
  const cursors = openCursors(options.cursorSecret);
  const views = openViewReader(readStore, {
    timeoutMs: viewTimeoutMs,
    pauseMs: viewPauseMs,
    onFailure: (failure) => observe.onFallback?.('view', failure),
  });
  return {
    get: (tenantId, orderId, wanted = {}) =>
      getOrder(
        { store, views, snapshots, viewLag, snapshotLag, parkedOrders, observe },
        { ...wanted, tenantId, orderId },
      ),
    list: (tenantId, filters, page) => listOrders({ readStore, cursors, viewLag, parkedOrders }, { tenantId, filters, page }),
    history: async (tenantId, orderId) => {
      const events = await readOrderEvents(store, { tenantId, orderId, fromRevision: 0 });
      return events.length === 0 ? null : events;
    },
    events: (query) => readEvents(store, query),
    command: (tenantId, commandId) => findCommand(store, tenantId, commandId),
    summaryAt: openSummaryAt(store),
  };
}

async function findCommand(
  store: EventStore,
  tenantId: TenantId,
  commandId: CommandId,
): Promise<CommandOutcome | null> {
  const receipt = await store.findCommand(tenantId, commandId);
  if (receipt === null) return null;
  const { stream, version, rejection } = receipt;
  const orderId = orderIdOfStream(stream);
  if (rejection === null) return { commandId, outcome: 'accepted', orderId, version };
  return { commandId, outcome: 'rejected', code: rejection.code, orderId, version };
}
