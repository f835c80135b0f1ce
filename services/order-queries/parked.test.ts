import { describe, expect, it } from 'vitest';
import { openEventFeed } from '../../infra/event-feed/open.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import { openMemoryOrderSnapshots } from '../../infra/order-snapshots/memory/memory-order-snapshots.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import { openMemorySubjectKeys } from '../../infra/subject-keys/memory/memory-subject-keys.ts';
import type { ParkedStream } from '../../infra/read-store/parking.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { anOrderId, appendAll, paymentFact, placement, tenant } from '../../projections/examples.ts';
import { foldDocument } from '../../projections/projection.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { AnyEvent, RecordedEvent } from '../../schemas/envelope.ts';
import { openOrderQueries, type OrderQueries } from './order-queries.ts';
import { openParkedOrders } from './parked-orders.ts';
import { toAnswer, toSnapshot } from './answers.ts';

const orderId = anOrderId('parked');
const other = anOrderId('other');
/** As a writer's bug would leave it: its lines are missing. */
const poison = {
  type: 'ShipmentDispatched',
  data: { orderId, shipmentId: 's1', providerId: 'x' },
} as unknown as AnyEvent;

async function openWorld() {
  const store = openMemoryEventStore();
  const readStore = openMemoryReadStore();
  const snapshots = openMemoryOrderSnapshots();
  await snapshots.beginWriting();
  await readStore.prepare([orderSummary.view]);
  const events = await appendAll(store, [placement(orderId), placement(other), poison, paymentFact('PaymentCaptured', orderId)]); // prettier-ignore
  const queries = openOrderQueries({
    ...{ store, readStore, snapshots, subjectKeys: openMemorySubjectKeys() },
    ...{ feed: openEventFeed(store), cursorSecret: 'secret' },
  });
  return { store, readStore, snapshots, queries, events };
}

/** As the projector leaves the view: both orders at version 1, one of them parked. */
async function park(readStore: ReadStore, events: readonly RecordedEvent[]): Promise<void> {
  const documents = [orderId, other].map((key) => {
    const own = events.filter(({ stream, revision }) => stream.endsWith(key) && revision === 0);
    return { tenantId: tenant, key, document: foldDocument(orderSummary, own, { key, document: null }) };
  });
  const [first, last] = [events[2], events[3]];
  if (first === undefined || last === undefined) throw new Error('no events');
  const consumer = orderSummary.view.name;
  const parked: ParkedStream = {
    ...{ consumer, stream: first.stream, tenantId: tenant, firstRevision: 1, firstPosition: first.position },
    ...{ lastRevision: 2, fingerprint: 'f', error: 'e', since: '2026-01-01T00:00:00.000Z', attempts: 0 },
    ...{ lastAttemptAt: null, state: 'parked' },
  };
  const move = { consumer, partition: 'log', from: null, to: last.position };
  await readStore.commit({ view: orderSummary.view, documents, progress: [], move, parking: { streams: [parked], events: [] } }); // prettier-ignore
}

async function get(queries: OrderQueries, id = orderId, options: Parameters<OrderQueries['get']>[2] = {}) {
  const answer = await queries.get(tenant, id, options);
  if (answer.outcome !== 'found') return answer.outcome;
  return `${answer.source} ${answer.order.version} ${answer.order.asOf.parked ? 'parked' : 'whole'}`;
}

describe('an order whose events wait for a repair', () => {
  it('is given as it was, and says parked, from the view as from the cache; others do not', async () => {
    const { queries, readStore, events } = await openWorld();
    await park(readStore, events);
    expect([await get(queries), await get(queries)]).toEqual(['view 1 parked', 'snapshot 1 parked']);
    expect(await get(queries, other)).toBe('view 1 whole');
    const page = await queries.list(tenant, {}, { limit: 10 });
    if (page.outcome !== 'page') throw new Error(page.rejection.code);
    const parked = page.items
      .filter(({ asOf }) => asOf.parked)
      .map(({ body }) => JSON.parse(body.toString()) as unknown);
    expect(parked).toMatchObject([{ orderId }]);
  });

  it('is refused at once at a version beyond the poison, and never given older', async () => {
    const { queries, readStore, events } = await openWorld();
    await park(readStore, events);
    const before = performance.now();
    expect(await get(queries, orderId, { minVersion: 2, waitMs: 10_000 })).toBe('parked');
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it('is folded as far as it goes where no view knows it, and not given where that is nowhere', async () => {
    const { queries, store } = await openWorld();
    expect(await get(queries)).toBe('fold 1 parked');
    const broken = anOrderId('broken');
    const nothing = { type: 'OrderPlaced', data: { orderId: broken } } as unknown as AnyEvent;
    await appendAll(store, [nothing]);
    expect(await get(queries, broken)).toBe('parked');
  });

  it('is not taken for parked by an old cache entry: the view, which is not, is asked', async () => {
    const { queries, readStore, snapshots, events } = await openWorld();
    const summary = foldDocument(orderSummary, events.slice(1, 2), { key: other, document: null });
    if (summary === null) throw new Error('no order');
    const snapshot = { ...toSnapshot(summary), parked: true };
    await snapshots.put([{ tenantId: tenant, orderId: other, snapshot, tier: 'fill' }]);
    await park(readStore, events);
    expect(await get(queries, other)).toBe('view 1 whole');
  });
});

describe('what is parked', () => {
  it('is asked once a second for all readers, and stays known while the read database is down', async () => {
    const { readStore, events } = await openWorld();
    await park(readStore, events);
    let [asked, isDown, nowMs] = [0, false, 10_000];
    const parking: ReadStore['parking'] = {
      ...readStore.parking,
      streams: (consumer) => {
        asked += 1;
        return isDown ? Promise.reject(new Error('down')) : readStore.parking.streams(consumer);
      },
    };
    const parkedOrders = openParkedOrders({ parking }, { now: () => nowMs });
    const many = await Promise.all(Array.from({ length: 50 }, () => parkedOrders.has(orderId)));
    expect([new Set(many), asked]).toEqual([new Set([true]), 1]);
    isDown = true;
    nowMs += 3_000;
    expect(await parkedOrders.has(orderId)).toBe(true);
    expect(asked).toBe(2);
    const summary = foldDocument(orderSummary, events.slice(1, 2), { key: other, document: null });
    if (summary === null) throw new Error('no order');
    const whole = toAnswer(toSnapshot(summary), 0);
    expect(await parkedOrders.told(other, whole)).toBe(whole);
  });
});
