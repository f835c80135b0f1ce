import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import type { Checkpoint, EventFeed, FeedBatch } from '../../infra/event-feed/port.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import { projections } from '../../projections/all.ts';
import {
  anOrderId,
  anyHistory,
  appendAll,
  booked,
  dispatched,
  paymentFact,
  placement,
  tenant,
} from '../../projections/examples.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { Projection } from '../../projections/projection.ts';
import { canonicalJson } from '../../schemas/canonical-json.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { newEventId } from '../../schemas/ids.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { runProjector, type ProjectedBatch, type RunProjectorOptions } from './projector.ts';

type Delivery = { readonly events: readonly RecordedEvent[]; readonly checkpoint: Checkpoint };

/** Hands out the given batches from the stored checkpoint on, then ends. */
function feedOf(deliveries: readonly Delivery[]): EventFeed {
  return {
    run: async ({ loadCheckpoint, handle }) => {
      const stored = await loadCheckpoint('log');
      const done = deliveries.findIndex(({ checkpoint }) => checkpoint === stored);
      for (const [index, delivery] of deliveries.slice(done + 1).entries()) {
        const batch: FeedBatch = { ...delivery, partition: 'log', atEnd: index === deliveries.length - 1 };
        await handle(batch);
      }
    },
  };
}

function deliver(name: string, ...events: readonly RecordedEvent[]): Delivery {
  return { events, checkpoint: name as Checkpoint };
}

type Options = Partial<Omit<RunProjectorOptions<never>, 'projection'>>;

async function projectAll(readStore: ReadStore, feed: EventFeed, options: Options = {}): Promise<ProjectedBatch[]> {
  const batches: ProjectedBatch[] = [];
  const store = options.store ?? { readStream: () => Promise.resolve([]) };
  const signal = options.signal ?? new AbortController().signal;
  await readStore.prepare(projections.map(({ view }) => view));
  for (const projection of projections) {
    const observe = { ...options.observe, onBatch: (batch: ProjectedBatch) => void batches.push(batch) };
    await runProjector({ feed: ofCategories(feed, projection), store, readStore, projection, signal, observe });
  }
  return batches;
}

/** As a feed filters for its subscriber. */
function ofCategories(feed: EventFeed, { categories }: Projection): EventFeed {
  const isWanted = ({ stream }: RecordedEvent): boolean => categories.some((category) => stream.startsWith(category));
  return {
    run: (subscription) =>
      feed.run({
        ...subscription,
        handle: (batch) => subscription.handle({ ...batch, events: batch.events.filter(isWanted) }),
      }),
  };
}

async function contentOf(readStore: ReadStore): Promise<string> {
  const content: unknown[] = [];
  for (const { view } of projections) for await (const row of readStore.scan(view)) content.push([view.name, row]);
  return canonicalJson(content);
}

const orderId = anOrderId('order');

async function history(store: EventStore = openMemoryEventStore()): Promise<readonly RecordedEvent[]> {
  const facts = [paymentFact('PaymentAuthorized', orderId), paymentFact('PaymentCaptured', orderId)];
  return appendAll(store, [placement(orderId), ...facts, booked(orderId), dispatched(orderId)]);
}

async function statusIn(readStore: ReadStore): Promise<string | null> {
  const [found] = await readStore.find(orderSummary.view, [{ tenantId: tenant, key: orderId }]);
  return found === null || found === undefined ? null : `${found.status} ${found.version}`;
}

function projectorSuite(open: () => Promise<ReadStore>, runs: number): void {
  it('gives the same views from any batches, with any redeliveries and restarts, as from one', async () => {
    const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 5 }), fc.boolean()), {
      minLength: 1,
      maxLength: 8,
    });
    const incremental = await open();
    const rebuilt = await open();
    await fc.assert(
      fc.asyncProperty(anyHistory, cuts, async (given, sizes) => {
        const events = await appendAll(openMemoryEventStore(), given);
        await Promise.all([incremental, rebuilt].map(clearAll));
        let position = 0;
        for (let turn = 0; position < events.length; turn += 1) {
          const [size, again, twice] = sizes[turn % sizes.length] ?? [1, 0, false];
          const batch = events.slice(Math.max(0, position - again), position + size);
          const delivery = deliver(`${turn}`, ...batch, ...(twice ? batch : []));
          // A new projector each turn: nothing is remembered but what is stored.
          await projectAll(incremental, feedOf([delivery]));
          position += size;
        }
        await projectAll(rebuilt, feedOf([deliver('all', ...events)]));
        expect(await contentOf(incremental)).toBe(await contentOf(rebuilt));
      }),
      { numRuns: runs },
    );
  });

  it('skips what it has seen, within one run as after a restart', async () => {
    const readStore = await open();
    const events = await history();
    const first = await projectAll(readStore, feedOf([deliver('1', ...events), deliver('2', ...events)]));
    const second = await projectAll(readStore, feedOf([deliver('2', ...events), deliver('3', ...events)]));
    expect(await statusIn(readStore)).toBe('shipped 5');
    const ofOrders = [...first, ...second].filter(({ view }) => view === 'order-summary');
    expect(ofOrders.map(({ applied, duplicates }) => [applied, duplicates])).toEqual([[5, 0], [0, 5], [0, 5]]); // prettier-ignore
  });

  it('reads from the store what the feed left out', async () => {
    const readStore = await open();
    const store = openMemoryEventStore();
    const events = await history(store);
    const late = events.slice(-1);
    const batches = await projectAll(readStore, feedOf([deliver('1', ...events.slice(0, 1)), deliver('2', ...late)]), { store }); // prettier-ignore
    expect(await statusIn(readStore)).toBe('shipped 5');
    expect(batches.map(({ healed }) => healed)).toContain(3);
  });

  it('leaves the view as it is, and parks the order, where one revision has two ids', async () => {
    const readStore = await open();
    const [placed, ...rest] = await history();
    if (placed === undefined) throw new Error('no event');
    const parked: unknown[] = [];
    const forked = { ...placed, eventId: newEventId() };
    await projectAll(readStore, feedOf([deliver('1', placed), deliver('2', forked, ...rest)]), {
      observe: { onParked: ({ consumer, stream, error }) => void parked.push([consumer, stream, error.slice(0, 4)]) },
    });
    const views = projections.filter(({ categories }) => categories.includes('order')).map(({ view }) => view.name);
    expect(parked.toSorted()).toEqual(views.toSorted().map((view) => [view, placed.stream, 'Fork']));
    expect(await statusIn(readStore)).toBe('placed 1');
  });

  it('rolls a stale projector back and goes on from the other one’s checkpoint, nothing applied twice', async () => {
    const readStore = await open();
    const events = await history();
    const deliveries = events.map((event, index) => deliver(`${index}`, event));
    await clearAll(readStore);
    const failures: string[] = [];
    let overtaken = false;
    const stale: EventFeed = {
      run: async (subscription) => {
        const stored = await subscription.loadCheckpoint('log');
        // Between this projector's read of the checkpoint and its commit, another one projects everything.
        if (!overtaken) await projectAll(readStore, feedOf(deliveries));
        overtaken = true;
        await feedOf(deliveries).run({ ...subscription, loadCheckpoint: () => Promise.resolve(stored) });
      },
    };
    await runProjector({
      feed: stale,
      store: openMemoryEventStore(),
      readStore,
      projection: orderSummary,
      signal: new AbortController().signal,
      observe: { onFailure: ({ failure }) => void failures.push(failure.code) },
    });
    expect(failures).toEqual(['CHECKPOINT_MOVED']);
    expect(await statusIn(readStore)).toBe('shipped 5');
    expect(await readStore.loadCheckpoint('order-summary', 'log')).toBe('4');
  });

  it('lets two projectors of one view race over the log, and the view is the fold', async () => {
    const readStore = await open();
    const store = openMemoryEventStore();
    await readStore.prepare(projections.map(({ view }) => view));
    const stop = new AbortController();
    const run = () =>
      runProjector({
        feed: openLogFeed(store, { pollMs: 20 }),
        ...{ store, readStore, projection: orderSummary, batchMax: 3, signal: stop.signal },
      });
    const both = [run(), run()];
    for (let index = 0; index < 20; index += 1) {
      const id = anOrderId(`race-${index}`);
      await appendAll(store, [placement(id), paymentFact('PaymentCaptured', id)]);
    }
    const statuses = async (): Promise<readonly (string | undefined)[]> => {
      const keys = Array.from({ length: 20 }, (_, index) => ({ tenantId: tenant, key: anOrderId(`race-${index}`) }));
      return (await readStore.find(orderSummary.view, keys)).map((found) => found?.status);
    };
    await expect.poll(statuses, { timeout: 20_000 }).toEqual(Array.from({ length: 20 }, () => 'paid'));
    stop.abort();
    await Promise.all(both);
  });
}

async function clearAll(readStore: ReadStore): Promise<void> {
  const views = projections.map(({ view }) => view);
  await readStore.prepare(views);
  for (const view of views) await readStore.clear(view);
}

describe('projector on memory', () => {
  projectorSuite(() => Promise.resolve(openMemoryReadStore()), 60);
});

describeWithPostgres('projector on Postgres', () => {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((close) => close()));
  });
  projectorSuite(async () => {
    const database = await freshDatabase();
    const readStore = openPostgresReadStore(database.url);
    opened.push(async () => {
      await readStore.close();
      await database.drop();
    });
    return readStore;
  }, 6);
});
