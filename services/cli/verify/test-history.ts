import { openMemoryReadStore } from '../../../infra/read-store/memory/memory-read-store.ts';
import type { Progress } from '../../../infra/read-store/port.ts';
import type { OrderSnapshot, StoredSnapshot } from '../../../infra/order-snapshots/port.ts';
import { summaryBody } from '../../../projections/order-summary/body.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import { foldDocument } from '../../../projections/projection.ts';
import type { Projection } from '../../../projections/projection.ts';
import { projections } from '../../../projections/all.ts';
import type { AnyEvent, Origin, Position, RecordedEvent } from '../../../schemas/envelope.ts';
import { categoryOf, fulfillmentStream, orderStream, stockStream } from '../../../schemas/ids.ts';
import type { CommandId, EventId, OrderId, StreamName, TenantId } from '../../../schemas/ids.ts';
import type { OrderPlacedData } from '../../../schemas/generated/events.ts';
import type { Finding, Invariant, VerifyInput } from './invariant.ts';
import type { VerifiedSnapshots } from './snapshots-up.ts';
import { verify } from './verify.ts';
import { openViewFold } from './view-fold.ts';

export const tenantId = 'default' as TenantId;

/** One event of a history, as short as a test wants to say it. */
export type Happened = AnyEvent & {
  readonly stream: StreamName;
  readonly commandId?: string;
  readonly revision?: number;
  readonly origin?: Origin;
  /** Seconds after the beginning; its place in the list if absent. */
  readonly at?: number;
};

const beginMs = Date.parse('2026-01-01T00:00:00.000Z');

/** A log of events: revisions count up in each stream and every event has a command of its own, unless it says otherwise. */
export function history(happened: readonly Happened[]): readonly RecordedEvent[] {
  const next = new Map<StreamName, number>();
  return happened.map(({ stream, type, data, commandId, revision, origin = 'live', at }, index) => {
    const counted = revision ?? next.get(stream) ?? 0;
    next.set(stream, counted + 1);
    const time = new Date(beginMs + (at ?? index) * 1_000).toISOString();
    const fixed = { schemaVersion: 1, tenantId, recordedAt: time, occurredAt: time, origin, causationId: null };
    const ids = { eventId: `e${index}` as EventId, commandId: (commandId ?? `c${index}`) as CommandId };
    const position = String(index).padStart(6, '0') as Position;
    // `Happened` pairs type and data as the union of events does.
    return { ...fixed, ...ids, position, correlationId: 'x', stream, revision: counted, type, data } as RecordedEvent;
  });
}

/** The log of an array, in pages of two, so that every check crosses pages. */
export function storeOf(events: readonly RecordedEvent[]): VerifyInput['store'] {
  return {
    readLog: ({ after }) => {
      const from = after === null ? 0 : Number(after) + 1;
      const page = events.slice(from, from + 2);
      const checkpoint = page.at(-1)?.position ?? after;
      return Promise.resolve({ events: page, checkpoint, atEnd: from + 2 >= events.length });
    },
    readStream: ({ stream, fromRevision = 0, limit = 10_000 }) =>
      Promise.resolve(
        events.filter((event) => event.stream === stream && event.revision >= fromRevision).slice(0, limit),
      ),
    findCommand: () => Promise.resolve(null),
    comparePositions: (a, b) => Number(a) - Number(b),
  };
}

/** Views as a projector that has reached `checkpoint` (all of the log if absent) left them. */
export async function viewsOf(events: readonly RecordedEvent[], checkpoint = events.at(-1)?.position) {
  const views = openMemoryReadStore();
  await views.prepare(projections.map(({ view }) => view));
  for (const projection of projections) {
    const fold = openViewFold(projection);
    for (const event of events) if (checkpoint !== undefined && event.position <= checkpoint) fold.apply(event);
    const documents = [...fold.keys()].map((key) => ({ ...key, document: fold.get(key) }));
    const { view } = projection;
    const move = { consumer: view.name, partition: 'log', from: null, to: checkpoint ?? ('000000' as Position) };
    await views.commit({ view, documents, progress: progressOf(events, projection, checkpoint), move });
  }
  return views;
}

function progressOf(
  events: readonly RecordedEvent[],
  { categories }: Projection,
  checkpoint: Position | undefined,
): readonly Progress[] {
  const seen = events.filter(({ stream, position }) => {
    return checkpoint !== undefined && position <= checkpoint && categories.includes(categoryOf(stream));
  });
  return [...new Map(seen.map(({ stream, revision, eventId }) => [stream, { stream, revision, eventId }])).values()];
}

export async function inputOf(
  events: readonly RecordedEvent[],
  change: Partial<VerifyInput> = {},
): Promise<VerifyInput> {
  const files = { ledgerFile: null, readsFile: null, paymentsFile: null };
  const limits = { nowMs: null, stuckAfterMs: 60_000, patienceMs: 0, signal: new AbortController().signal };
  const stores = { store: storeOf(events), views: await viewsOf(events) };
  return { ...stores, ...files, ...limits, snapshots: null, readVersion: null, readAtLeast: null, ...change };
}

/** How many were checked, and which violations were found. */
export async function found(
  invariant: Invariant,
  events: readonly RecordedEvent[],
  change: Partial<VerifyInput> = {},
): Promise<{ readonly checked: number; readonly violations: readonly string[] } | Finding> {
  const [verdict] = await verify([invariant], await inputOf(events, change));
  const finding = verdict?.finding ?? { notChecked: 'no verdict' };
  if ('notChecked' in finding) return finding;
  return { checked: finding.checked, violations: finding.violations.examples };
}

export const orderId = '0192f0c1-2d3e-5f40-8a1b-2c3d4e5f6071' as OrderId;
export const order = orderStream(orderId);
export const saga = fulfillmentStream(orderId);
export const sku = stockStream(tenantId, 'A');

export const money = { orderId, paymentId: 'p1', amount: 1_000, currency: 'BRL' };

export const placement: OrderPlacedData = {
  orderId,
  reference: null,
  customerId: 'u1',
  currency: 'BRL',
  lines: [{ lineId: 'l1', sku: 'A', quantity: 2, unitPrice: 400, tax: 50, name: null }],
  totals: { subtotal: 800, discount: 50, shipping: 200, tax: 50, total: 1_000 },
  payments: [{ paymentId: 'p1', method: 'card', amount: 1_000 }],
  metadata: {},
  sealed: null,
};

const started = {
  ...{ orderId, customerId: 'u1', currency: 'BRL', total: 1_000 },
  lines: [{ lineId: 'l1', sku: 'A', quantity: 2 }],
  payments: placement.payments,
};
const shipment = { orderId, shipmentId: 's1' };
const lines = [{ lineId: 'l1', quantity: 2 }];

export const placed: Happened = { stream: order, type: 'OrderPlaced', data: placement };
export const begun: Happened = { stream: saga, type: 'FulfillmentStarted', data: started };
export const captured: Happened = {
  ...{ stream: order, type: 'PaymentCaptured' },
  data: { ...money, providerId: 'capture-1' },
};
export const completed: Happened = { stream: saga, type: 'FulfillmentCompleted', data: { orderId } };

/** An order from its placement to its delivery, with its saga and its stock. */
export const goodHistory: readonly Happened[] = [
  { stream: sku, type: 'StockReceived', data: { sku: 'A', quantity: 10 } },
  placed,
  { ...begun, commandId: 'start' },
  {
    ...{ stream: saga, type: 'TimerScheduled', commandId: 'start', at: 2 },
    data: { orderId, timerId: 't1', kind: 'unpaid-expiry', delayMs: 900_000 },
  },
  { stream: sku, type: 'StockReserved', data: { sku: 'A', orderId, quantity: 2 } },
  { stream: order, type: 'PaymentAuthorized', data: { ...money, providerId: 'authorize-1' } },
  captured,
  { stream: saga, type: 'TimerCancelled', data: { orderId, timerId: 't1' } },
  { stream: sku, type: 'StockDeducted', data: { sku: 'A', orderId, quantity: 2 } },
  {
    ...{ stream: order, type: 'ShipmentBooked' },
    data: { ...shipment, providerId: 'b1', carrier: 'x', trackingNumber: null, lines },
  },
  { stream: order, type: 'DispatchBegun', data: { orderId } },
  { stream: order, type: 'ShipmentDispatched', data: { ...shipment, providerId: 'd1', lines } },
  { stream: order, type: 'ShipmentDelivered', data: { ...shipment, providerId: 'd2' } },
  completed,
];

/** As the cache would hold it after these events. */
export function snapshotOf(events: readonly RecordedEvent[]): OrderSnapshot {
  const own = events.filter(({ stream }) => stream === order);
  const summary = foldDocument(orderSummary, own, { key: orderId, document: null });
  if (summary === null) throw new Error('the order was not placed');
  const { version, updatedAt: eventTime } = summary;
  return { version, eventTime, parked: false, body: Buffer.from(summaryBody(summary)) };
}

/** A Redis that holds these. */
export function cacheOf(...stored: readonly StoredSnapshot[]): VerifiedSnapshots {
  return {
    status: () => ({ kind: 'redis', isUp: true, reading: 0 }),
    // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
    scan: async function* () {
      yield* stored;
    },
  };
}
