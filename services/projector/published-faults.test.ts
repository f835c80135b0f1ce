import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { freshTopics, startRelay } from '../../infra/event-feed/contract/on-kafka.ts';
import { openPostgresEventStore } from '../../infra/event-store/postgres/open.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { startKafkaBroker, type KafkaBroker } from '../../infra/local/kafka-broker.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import type { Document, ReadStore } from '../../infra/read-store/port.ts';
import { launchRole, type RoleProcess } from '../../loadtest/system/role-process.ts';
import { views } from '../../projections/all.ts';
import { dailySales } from '../../projections/daily-sales/projection.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { orderTimeline } from '../../projections/order-timeline/projection.ts';
import type { Projection } from '../../projections/projection.ts';
import { sayFault, secondsSince } from '../../test/fault-line.ts';
import { describeWithKafkaBroker } from '../../test/kafka.ts';
import { describeWithPostgres, freshDatabase, type FreshDatabase } from '../../test/postgres.ts';
import { orderIds, payAll, placeAll, shipAll } from './test-snapshot-world.ts';

const projected: readonly Projection[] = [orderSummary, orderTimeline, dailySales];

describeWithPostgres('views in Postgres', () => {
  describeWithKafkaBroker('two projectors as processes, on a Kafka of their own', () => {
    let broker: KafkaBroker;
    let database: FreshDatabase;
    let store: EventStore;
    let readStore: ReadStore;
    let relay: { readonly stop: () => Promise<void> };
    let folder: string;
    let projectors: RoleProcess[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'order-center-projectors-'));
      broker = await startKafkaBroker();
      database = await freshDatabase();
      store = await openPostgresEventStore(database.url);
      readStore = openPostgresReadStore(database.url);
      await readStore.prepare(views);
      const topics = freshTopics(broker.brokers, 6, '');
      await topics.make();
      relay = startRelay(store, topics);
      projectors = [await launch(), await launch()];
    }, 120_000);
    afterAll(async () => {
      await Promise.all(projectors.map((projector) => projector.kill()));
      await relay.stop();
      await Promise.all([readStore.close(), store.close()]);
      await Promise.all([database.drop(), broker.stop(), rm(folder, { recursive: true, maxRetries: 5 })]);
    }, 60_000);

    const launch = (): Promise<RoleProcess> =>
      launchRole('projector', {
        folder,
        environment: { EVENT_STORE_URL: database.url, FEED_URL: `kafka://${broker.brokers}`, DATA_DIR: folder },
      });

    /** Orders go on until it is stopped; returns how many events were appended. */
    const sell = (): { readonly stop: () => Promise<number> } => {
      const closing = new AbortController();
      const selling = (async () => {
        let events = 0;
        for (; !closing.signal.aborted; events += 40) {
          const orders = orderIds(randomUUID(), 10);
          await placeAll(store, orders);
          await payAll(store, orders);
          await shipAll(store, orders);
        }
        return events;
      })();
      return {
        stop: () => {
          closing.abort();
          return selling;
        },
      };
    };

    const viewsEqualTheirFold = async (timeout = 40_000): Promise<void> => {
      for (const projection of projected) {
        const folded = await foldAll(store, projection);
        await vi.waitFor(async () => expect(await rowsOf(readStore, projection)).toEqual(folded), {
          timeout,
          interval: 100,
        });
      }
    };

    const refusedWrites = async (): Promise<number> => {
      const values = await Promise.all(projectors.map((each) => each.metric('stale_writes_refused_total')));
      return values.flatMap((series) => [...(series?.values() ?? [])]).reduce((sum, value) => sum + value, 0);
    };

    it('keep every view equal to its fold, shared documents as well', { timeout: 60_000 }, async () => {
      const selling = sell();
      await pause(2_000);
      expect(await selling.stop()).toBeGreaterThan(0);
      await viewsEqualTheirFold();
      const consumers = (await readStore.checkpoints()).filter(({ consumer }) => consumer === 'order-summary');
      // Both follow partitions of their own; which of the six have orders by now is chance.
      expect(consumers.length).toBeGreaterThan(2);
      expect(consumers.every(({ partition }) => /^order\.events\/[0-5]$/.test(partition))).toBe(true);
    });

    it('go on after the broker was killed and came back', { timeout: 120_000 }, async () => {
      const selling = sell();
      await pause(1_000);
      await broker.kill();
      await pause(3_000);
      await broker.startAgain();
      const healedAt = performance.now();
      const events = await selling.stop();
      await viewsEqualTheirFold(60_000);
      sayFault('kafka-killed', { ops: events, lost: 0, t_consistent_after_heal: secondsSince(healedAt), mismatch: 0 });
    });

    it(
      'take over from one that is paused past its session, and refuse what it writes then',
      { timeout: 120_000 },
      async () => {
        const [paused] = projectors;
        const selling = sell();
        await pause(1_000);
        paused?.pause();
        const pausedAt = performance.now();
        await pause(12_000);
        const events = await selling.stop();
        await viewsEqualTheirFold();
        const consistentAfter = secondsSince(pausedAt);
        const after = sell();
        paused?.resume();
        await pause(3_000);
        const more = await after.stop();
        await viewsEqualTheirFold();
        sayFault('projector-paused', {
          ops: events + more,
          lost: 0,
          refused: await refusedWrites(),
          t_consistent: consistentAfter,
          mismatch: 0,
        });
      },
    );

    it('take over from one that is killed', { timeout: 120_000 }, async () => {
      const selling = sell();
      await pause(1_000);
      await projectors[1]?.kill();
      const killedAt = performance.now();
      const events = await selling.stop();
      await viewsEqualTheirFold();
      sayFault('projector-killed', { ops: events, lost: 0, t_consistent: secondsSince(killedAt), mismatch: 0 });
      projectors[1] = await launch();
    });
  });
});

type Rows = ReadonlyMap<string, Document>;

async function foldAll(store: EventStore, projection: Projection): Promise<Rows> {
  const rows = new Map<string, Document>();
  for (let after: Awaited<ReturnType<EventStore['head']>> = null; ;) {
    const page = await store.readLog({ after, categories: projection.categories, limit: 5_000 });
    for (const change of page.events.flatMap((event) => projection.changes(event))) {
      const key = `${change.tenantId} ${change.key}`;
      const document = change.update(rows.get(key) ?? null);
      if (document === null) rows.delete(key);
      else rows.set(key, document);
    }
    after = page.checkpoint;
    if (page.atEnd) return rows;
  }
}

async function rowsOf(readStore: ReadStore, { view }: Projection): Promise<Rows> {
  const rows = new Map<string, Document>();
  for await (const { tenantId, key, document } of readStore.scan(view)) rows.set(`${tenantId} ${key}`, document);
  return rows;
}
