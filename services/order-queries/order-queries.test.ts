import { afterEach, describe, expect, it } from 'vitest';
import { openEventFeed } from '../../infra/event-feed/open.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { openMemoryOrderSnapshots } from '../../infra/order-snapshots/memory/memory-order-snapshots.ts';
import { snapshotWriter, type OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { DocumentKey, ReadStore } from '../../infra/read-store/port.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import { openMemorySubjectKeys } from '../../infra/subject-keys/memory/memory-subject-keys.ts';
import { anOrderId, appendAll, otherTenant, paymentFact, placement, tenant } from '../../projections/examples.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { CommandId } from '../../schemas/ids.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { bodyWithAsOf } from './answers.ts';
import type { QueryObserver } from './get-order.ts';
import { openOrderQueries, type OrderQueries } from './order-queries.ts';

type World = {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly snapshots: OrderSnapshots;
  readonly queries: OrderQueries;
  /** Brings the view up to these events, as the projector does. */
  project(events: readonly RecordedEvent[]): Promise<void>;
};

const orderId = anOrderId('order');
const place = placement(orderId);
const pay = paymentFact('PaymentCaptured', orderId);

type Changes = Partial<Pick<World, 'store' | 'readStore' | 'snapshots'>> & { readonly observe?: QueryObserver };

async function openWorld(changes: Changes = {}): Promise<World> {
  const store = changes.store ?? openMemoryEventStore();
  const readStore = changes.readStore ?? openMemoryReadStore();
  const snapshots = changes.snapshots ?? openMemoryOrderSnapshots();
  if (changes.snapshots === undefined) await snapshots.beginWriting();
  const { observe = {} } = changes;
  const queries = openOrderQueries({
    ...{ store, readStore, snapshots, subjectKeys: openMemorySubjectKeys() },
    ...{ feed: openEventFeed(store), cursorSecret: 'secret', viewTimeoutMs: 200, observe },
  });
  const project = async (events: readonly RecordedEvent[]): Promise<void> => {
    const last = events.at(-1);
    if (last === undefined) return;
    const consumer = orderSummary.view.name;
    const latest = new Map<string, DocumentKey & { readonly document: OrderSummary | null }>();
    for (const change of events.flatMap((event) => orderSummary.changes(event))) {
      const { tenantId, key } = change;
      const [stored] = await readStore.find(orderSummary.view, [{ tenantId, key }]);
      const current = latest.get(key)?.document ?? stored ?? null;
      latest.set(key, { tenantId, key, document: change.update(current) });
    }
    const from = await readStore.loadCheckpoint(consumer, 'log');
    const move = { consumer, partition: 'log', from, to: last.position };
    await readStore.commit({ view: orderSummary.view, documents: [...latest.values()], progress: [], move });
  };
  await changes.readStore?.prepare([orderSummary.view]).catch(() => undefined);
  if (changes.readStore === undefined) await readStore.prepare([orderSummary.view]);
  return { store, readStore, snapshots, queries, project };
}

/** The snapshots' writer wrote these events, and none after. */
async function moveWriter({ readStore }: World, events: readonly RecordedEvent[]): Promise<void> {
  const to = events.at(-1)?.position;
  if (to === undefined) throw new Error('no event');
  await readStore.moveCheckpoint({ consumer: snapshotWriter, partition: 'log', from: null, to });
}

const down = <Result>(): Promise<Result> =>
  Promise.reject(new OperationalFailure('VIEWS_UNAVAILABLE', 'down', { retryable: true }));

async function found(world: World, options: Parameters<OrderQueries['get']>[2] = {}): Promise<string> {
  const answer = await world.queries.get(tenant, orderId, options);
  return answer.outcome === 'found' ? `${answer.source} ${answer.order.version}` : answer.outcome;
}

describe('an order is read', () => {
  it('by a live fold right after its placement, then from the short-lived snapshot of that answer', async () => {
    const world = await openWorld();
    await appendAll(world.store, [place]);
    expect([await found(world), await found(world)]).toEqual(['fold 1', 'snapshot 1']);
  });

  it('from the view when there is no snapshot', async () => {
    const world = await openWorld();
    await world.project(await appendAll(world.store, [place, pay]));
    expect(await found(world)).toBe('view 2');
  });

  it('as one text with its asOf at the end', async () => {
    const world = await openWorld();
    const events = await appendAll(world.store, [place, pay]);
    const answer = await world.queries.get(tenant, orderId);
    if (answer.outcome !== 'found') throw new Error(answer.outcome);
    const body = JSON.parse(bodyWithAsOf(answer.order).toString()) as Record<string, unknown>;
    expect(body).toMatchObject({ orderId, status: 'paid', version: 2 });
    const eventTime = events.at(-1)?.recordedAt;
    expect(body.asOf).toEqual({ version: 2, eventTime, lagMs: 0, projection: 'order-summary@1', parked: false });
  });

  it('with the age of what the view has not seen', async () => {
    const world = await openWorld({ store: openMemoryEventStore({ now: () => new Date(Date.now() - 60_000) }) });
    const events = await appendAll(world.store, [place, pay]);
    await world.project(events.slice(0, 1));
    const answer = await world.queries.get(tenant, orderId);
    if (answer.outcome !== 'found') throw new Error(answer.outcome);
    expect(answer.order.asOf.version).toBe(1);
    expect(answer.order.asOf.lagMs).toBeGreaterThanOrEqual(60_000);
  });

  it('never by another tenant, by whichever way', async () => {
    const world = await openWorld();
    const events = await appendAll(world.store, [place]);
    expect(await world.queries.get(otherTenant, orderId)).toEqual({ outcome: 'not-found' });
    await world.project(events);
    await world.queries.get(tenant, orderId);
    expect(await world.queries.get(otherTenant, orderId)).toEqual({ outcome: 'not-found' });
    expect(await world.queries.history(otherTenant, orderId)).toBeNull();
    expect(await world.queries.summaryAt(otherTenant, orderId, 1)).toBeNull();
  });

  it('not at all when nobody placed it', async () => {
    expect(await found(await openWorld())).toBe('not-found');
  });

  it('from the view too where the writer of the snapshots is far behind: the newer one is the answer', async () => {
    const long = { now: () => new Date(Date.now() - 60_000) };
    const reads: string[] = [];
    const observe = { onSnapshotRead: (read: string) => void reads.push(read) };
    const world = await openWorld({ store: openMemoryEventStore(long), observe });
    const events = await appendAll(world.store, [place]);
    await world.project(events);
    await moveWriter(world, events);
    expect([await found(world), await found(world)]).toEqual(['view 1', 'snapshot 1']);
    await world.project(await appendAll(world.store, [pay]));
    const later = await openWorld({ ...world, observe });
    expect(await found(later)).toBe('view 2');
    expect(reads).toEqual(['miss', 'hit', 'old']);
  });

  it('with its snapshot’s word that it is parked', async () => {
    const world = await openWorld();
    const snapshot = { version: 1, eventTime: '2026-01-01T00:00:00.000Z', parked: true, body: Buffer.from('{"a":1}') };
    await world.snapshots.put([{ tenantId: tenant, orderId, snapshot, tier: 'unpaid' }]);
    const answer = await world.queries.get(tenant, orderId);
    if (answer.outcome !== 'found') throw new Error(answer.outcome);
    expect(JSON.parse(bodyWithAsOf(answer.order).toString())).toMatchObject({
      a: 1,
      asOf: { version: 1, parked: true },
    });
  });

  it('while the read database is down and the snapshots fail', async () => {
    const readStore: ReadStore = { ...openMemoryReadStore(), find: down, loadCheckpoint: down, checkpoints: down };
    const snapshots = { ...openMemoryOrderSnapshots(), get: down, put: down };
    const world = await openWorld({ readStore, snapshots: snapshots });
    await appendAll(world.store, [place]);
    expect([await found(world), await found(world)]).toEqual(['fold 1', 'fold 1']);
  });

  it('while the read database answers nothing at all', async () => {
    const readStore: ReadStore = { ...openMemoryReadStore(), find: () => new Promise(() => undefined) };
    const world = await openWorld({ readStore });
    await appendAll(world.store, [place]);
    expect(await found(world)).toBe('fold 1');
  });
});

describe('minVersion', () => {
  it('is never undercut: an older snapshot and an older view are passed over', async () => {
    const world = await openWorld();
    await world.project(await appendAll(world.store, [place]));
    expect([await found(world), await found(world)]).toEqual(['view 1', 'snapshot 1']);
    await appendAll(world.store, [pay]);
    expect(await found(world, { minVersion: 2 })).toBe('fold 2');
  });

  it('is not yet visible when the order itself is not that far, after the wait', async () => {
    const world = await openWorld();
    await appendAll(world.store, [place]);
    expect(await found(world, { minVersion: 2, waitMs: 60 })).toBe('not-yet-visible');
  });

  it('is answered within the wait when the order gets there', async () => {
    const world = await openWorld();
    await appendAll(world.store, [place]);
    const waiting = found(world, { minVersion: 2, waitMs: 10_000 });
    await appendAll(world.store, [pay]);
    expect(await waiting).toBe('fold 2');
  });

  it('stops waiting when the reader goes away', async () => {
    const world = await openWorld();
    await appendAll(world.store, [place]);
    const reader = new AbortController();
    const waiting = found(world, { minVersion: 9, waitMs: 10_000, signal: reader.signal });
    reader.abort();
    expect(await waiting).toBe('not-yet-visible');
  });

  it('is not yet visible while the store is down and the view is older', async () => {
    const memory = openMemoryEventStore();
    const events = await appendAll(memory, [place]);
    const world = await openWorld({ store: { ...memory, readStream: down } });
    await world.project(events);
    expect(await found(world, { minVersion: 2 })).toBe('not-yet-visible');
    expect(await found(world)).toBe('view 1');
    await expect(world.queries.get(tenant, anOrderId('unknown'))).rejects.toThrow(OperationalFailure);
  });
});

function listSuite(openReadStore: () => Promise<ReadStore>): void {
  const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
  const placeMany = async (world: World, from: number, until: number): Promise<void> => {
    const events: RecordedEvent[] = [];
    for (let index = from; index < until; index += 1) {
      const changes = { customerId: `c${index % 2}`, reference: `ref-${index}` };
      const occurredAt = at(Math.floor(index / 2));
      events.push(...(await appendAll(world.store, [placement(anOrderId(`o${index}`), changes)], { occurredAt })));
    }
    await world.project(events);
  };
  const references = (items: readonly { readonly body: Buffer }[]): string[] =>
    items.map(({ body }) => (JSON.parse(body.toString()) as { reference: string }).reference);

  it('shows each order once, newest first, over pages and while new ones come', async () => {
    const world = await openWorld({ readStore: await openReadStore() });
    await placeMany(world, 0, 12);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await world.queries.list(tenant, {}, { limit: 5, cursor });
      if (page.outcome !== 'page') throw new Error(page.rejection.code);
      seen.push(...references(page.items));
      if (cursor === undefined) await placeMany(world, 12, 15);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect([...seen].sort()).toEqual(Array.from({ length: 12 }, (_, index) => `ref-${index}`).sort());
    const minutes = seen.map((reference) => Math.floor(Number(reference.slice(4)) / 2));
    expect(minutes).toEqual([...minutes].sort((a, b) => b - a));
  });

  it('filters by customer, reference, status, sku and time', async () => {
    const world = await openWorld({ readStore: await openReadStore() });
    await placeMany(world, 0, 6);
    const list = async (filters: Parameters<OrderQueries['list']>[1]): Promise<string[]> => {
      const page = await world.queries.list(tenant, filters, { limit: 50 });
      return page.outcome === 'page' ? references(page.items).sort() : [page.rejection.code];
    };
    expect(await list({ customerId: 'c1' })).toEqual(['ref-1', 'ref-3', 'ref-5']);
    expect(await list({ reference: 'ref-4' })).toEqual(['ref-4']);
    expect(await list({ status: 'placed', sku: 'tea "green"' })).toHaveLength(6);
    expect(await list({ status: 'paid' })).toEqual([]);
    expect(await list({ sku: 'none' })).toEqual([]);
    expect(await list({ placedFrom: at(1), placedTo: at(2) })).toEqual(['ref-2', 'ref-3']);
    const rivals = await world.queries.list(otherTenant, {}, { limit: 50 });
    expect(rivals).toMatchObject({ items: [], nextCursor: null });
  });

  it('refuses a cursor that was changed, made up, or given for another list', async () => {
    const world = await openWorld({ readStore: await openReadStore() });
    await placeMany(world, 0, 3);
    const page = await world.queries.list(tenant, {}, { limit: 1 });
    if (page.outcome !== 'page' || page.nextCursor === null) throw new Error('no cursor');
    const { nextCursor } = page;
    const changed = `${nextCursor.slice(0, -1)}${nextCursor.endsWith('A') ? 'B' : 'A'}`;
    const madeUp = Buffer.from(JSON.stringify(['2026', 'x'])).toString('base64url');
    for (const cursor of [changed, madeUp, '', 'not base64 !', 'x'.repeat(5_000)]) {
      expect(await world.queries.list(tenant, {}, { limit: 1, cursor })).toMatchObject({
        rejection: { code: 'INVALID_CURSOR' },
      });
    }
    const elsewhere = [
      world.queries.list(otherTenant, {}, { limit: 1, cursor: nextCursor }),
      world.queries.list(tenant, { customerId: 'c1' }, { limit: 1, cursor: nextCursor }),
    ];
    for (const answer of await Promise.all(elsewhere)) expect(answer).toMatchObject({ outcome: 'rejected' });
  });
}

describe('the list of orders in memory', () => listSuite(() => Promise.resolve(openMemoryReadStore())));

describeWithPostgres('the list of orders on Postgres', () => {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((close) => close()));
  });
  listSuite(async () => {
    const database = await freshDatabase();
    const readStore = openPostgresReadStore(database.url);
    opened.push(async () => {
      await readStore.close();
      await database.drop();
    });
    return readStore;
  });
});

describe('what the store alone answers', () => {
  it('is an order’s history, oldest first', async () => {
    const world = await openWorld();
    await appendAll(world.store, [place, pay]);
    const history = await world.queries.history(tenant, orderId);
    expect(history?.map(({ type, revision }) => [type, revision])).toEqual([['OrderPlaced', 0], ['PaymentCaptured', 1]]); // prettier-ignore
    expect(await world.queries.history(tenant, anOrderId('unknown'))).toBeNull();
  });

  it('is an order at exactly one version', async () => {
    const world = await openWorld();
    await appendAll(world.store, [place, pay]);
    const first = await world.queries.summaryAt(tenant, orderId, 1);
    expect(JSON.parse(first?.body ?? '')).toMatchObject({ status: 'placed', version: 1 });
    expect(await world.queries.summaryAt(tenant, orderId, 3)).toBeNull();
  });

  it('is one tenant’s feed in pages that go on from their checkpoint', async () => {
    const world = await openWorld();
    await appendAll(world.store, [place]);
    await appendAll(world.store, [placement(anOrderId('rival', otherTenant))], { tenantId: otherTenant });
    await appendAll(world.store, [pay]);
    const types: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < 4; page += 1) {
      const answer = await world.queries.events({ tenantId: tenant, after, limit: 1 });
      if (answer.outcome !== 'page') throw new Error(answer.rejection.code);
      types.push(...answer.events.map(({ type }) => type));
      after = answer.checkpoint ?? undefined;
    }
    expect(types).toEqual(['OrderPlaced', 'PaymentCaptured']);
    const rejected = { rejection: { code: 'INVALID_CURSOR' } };
    for (const bad of ['nonsense', '00000000.0.1', after?.replace(/\d+$/, '999') ?? '']) {
      expect(await world.queries.events({ tenantId: tenant, after: bad, limit: 1 })).toMatchObject(rejected);
    }
  });

  it('is the outcome of a command, to its tenant only', async () => {
    const world = await openWorld();
    const [event] = await appendAll(world.store, [place]);
    const commandId = event?.commandId ?? ('' as CommandId);
    const outcome = { commandId, outcome: 'accepted', orderId, version: 1 };
    expect(await world.queries.command(tenant, commandId)).toEqual(outcome);
    expect(await world.queries.command(otherTenant, commandId)).toBeNull();
  });
});
