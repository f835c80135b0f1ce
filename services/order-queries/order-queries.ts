import type { EventFeed } from '../../infra/event-feed/port.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { snapshotWriter, type OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import type { SubjectKeys } from '../../infra/subject-keys/port.ts';
import { dailySales } from '../../projections/daily-sales/projection.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { orderTimeline } from '../../projections/order-timeline/projection.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { ErrorCode } from '../../schemas/error-codes.ts';
import { orderIdOfStream, type CommandId, type OrderId, type TenantId } from '../../schemas/ids.ts';
import type { Address } from '../../schemas/personal-data.ts';
import { openCursors } from './cursor.ts';
import { listDailySales, type SalesFilters, type SalesPage } from './daily-sales.ts';
import { readEvents, type EventsPage, type EventsQuery } from './event-feed-page.ts';
import { findAddress, type AddressRequest } from './find-address.ts';
import { readOrderEvents } from './fold-order.ts';
import { getOrder, type GetAnswer, type GetOptions, type QueryObserver } from './get-order.ts';
import { getTimeline, type TimelineAnswer } from './get-timeline.ts';
import { listOrders, type OrderFilters, type OrderPage, type PageRequest, type Refused } from './list-orders.ts';
import { openParkedOrders } from './parked-orders.ts';
import { openSummaryAt, type SummaryAt } from './summary-at.ts';
import { openLiveUpdates, type LiveUpdates } from './live/live-updates.ts';
import type { LiveLimits } from './live/limits.ts';
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
  /** The steps of an order's life, in words. Throws OperationalFailure STORE_UNAVAILABLE. */
  timeline(tenantId: TenantId, orderId: OrderId): Promise<TimelineAnswer>;
  /** The shipping address, opened for its owner; see find-address.ts. */
  address(request: AddressRequest): Promise<Address | null>;
  /** What each day sold, newest first. Rejects with INVALID_CURSOR. Throws OperationalFailure VIEWS_UNAVAILABLE. */
  dailySales(tenantId: TenantId, filters: SalesFilters, page: PageRequest): Promise<SalesPage | Refused>;
  /** A page of the analysts' feed. Rejects with INVALID_CURSOR. */
  events(query: EventsQuery): Promise<EventsPage | Refused>;
  /** Events as they happen. */
  readonly live: LiveUpdates;
  /** null: no command with this id has an answer. */
  command(tenantId: TenantId, commandId: CommandId): Promise<CommandOutcome | null>;
  readonly summaryAt: SummaryAt;
};

export type OpenOrderQueriesOptions = {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly snapshots: OrderSnapshots;
  /** Live updates follow the store's own log, also where projectors follow Kafka. A process's consumers share one. */
  readonly feed: EventFeed;
  readonly liveLimits?: Partial<LiveLimits>;
  /** Opens addresses for their owner. */
  readonly subjectKeys: Pick<SubjectKeys, 'find'>;
  /** Signs cursors: the same for all processes that answer one origin. */
  readonly cursorSecret: string;
  readonly observe?: QueryObserver;
  /** How long one read of the view may take before the store is asked. 1,000 ms if absent. */
  readonly viewTimeoutMs?: number;
};

/** How long the view is left alone after it failed. */
const viewPauseMs = 1_000;

export function openOrderQueries(options: OpenOrderQueriesOptions): OrderQueries {
  const { store, readStore, snapshots, subjectKeys, observe = {}, viewTimeoutMs = 1_000 } = options;
  const viewLag = openViewLag(store, readStore);
  const snapshotLag = openViewLag(store, readStore, {
    projection: { view: { name: snapshotWriter }, categories: orderSummary.categories },
  });
  const parkedOrders = openParkedOrders(readStore);
  const ofTimelines = {
    viewLag: openViewLag(store, readStore, { projection: orderTimeline }),
    parkedOrders: openParkedOrders(readStore, { view: orderTimeline.view.name }),
  };
  const ofSales = {
    viewLag: openViewLag(store, readStore, { projection: dailySales }),
    parkedOrders: openParkedOrders(readStore, { view: dailySales.view.name }),
  };
  const cursors = openCursors(options.cursorSecret);
  const reading = {
    timeoutMs: viewTimeoutMs,
    pauseMs: viewPauseMs,
    onFailure: (failure: unknown) => observe.onFallback?.('view', failure),
  };
  const views = openViewReader(readStore, { view: orderSummary.view, ...reading });
  const timelines = openViewReader(readStore, { view: orderTimeline.view, ...reading });
  return {
    get: (tenantId, orderId, wanted = {}) =>
      getOrder(
        { store, views, snapshots, viewLag, snapshotLag, parkedOrders, observe },
        { ...wanted, tenantId, orderId },
      ),
    list: (tenantId, filters, page) =>
      listOrders({ readStore, cursors, viewLag, parkedOrders }, { tenantId, filters, page }),
    history: async (tenantId, orderId) => {
      const events = await readOrderEvents(store, { tenantId, orderId, fromRevision: 0 });
      return events.length === 0 ? null : events;
    },
    timeline: (tenantId, orderId) => getTimeline({ store, timelines, ...ofTimelines }, { tenantId, orderId }),
    address: (request) => findAddress({ store, subjectKeys }, request),
    dailySales: (tenantId, filters, page) =>
      listDailySales({ readStore, cursors, ...ofSales }, { tenantId, filters, page }),
    events: (query) => readEvents(store, query),
    live: openLiveUpdates({ store, feed: options.feed, limits: options.liveLimits, onFailure: observe.onLiveFailure }),
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
