import { expect, vi } from 'vitest';
import { freshTopics, silent, startRelay, type TestTopics } from '../../infra/event-feed/contract/on-kafka.ts';
import { openKafkaFeed } from '../../infra/event-feed/kafka/kafka-feed.ts';
import type { PassedOver } from '../../infra/event-feed/kafka/read-records.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { tenant } from '../../projections/examples.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { foldDocument } from '../../projections/projection.ts';
import { orderStream, type OrderId } from '../../schemas/ids.ts';
import { freshDatabase } from '../../test/postgres.ts';
import { runProjector, type ProjectedBatch } from './projector.ts';

/** A store, a relay, topics of its own, views in Postgres, and as many projectors as a test starts. */
export type PublishedWorld = {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly topics: TestTopics;
  readonly relay: { stop(): Promise<void>; start(): void };
  start(): RunningProjector;
  /** Waits until the summary of each order is the fold of its stream. */
  equalsFold(ids: readonly OrderId[], within?: number): Promise<void>;
  close(): Promise<void>;
};

export type RunningProjector = {
  readonly batches: readonly ProjectedBatch[];
  readonly failures: readonly string[];
  readonly passedOver: readonly PassedOver[];
  stop(): Promise<void>;
};

export async function openPublishedWorld(partitions = 6): Promise<PublishedWorld> {
  const database = await freshDatabase();
  const readStore = openPostgresReadStore(database.url);
  await readStore.prepare([orderSummary.view]);
  const store = openMemoryEventStore();
  const topics = freshTopics(undefined, partitions);
  await topics.make();
  let relay = startRelay(store, topics);
  const started: RunningProjector[] = [];
  return {
    ...{ store, readStore, topics },
    relay: {
      stop: () => relay.stop(),
      start: () => {
        relay = startRelay(store, topics);
      },
    },
    start: () => {
      const projector = startProjector({ store, readStore, topics });
      started.push(projector);
      return projector;
    },
    equalsFold: async (ids, timeout = 20_000) => {
      const folds = await Promise.all(ids.map((id) => foldOf(store, id)));
      const keys = ids.map((key) => ({ tenantId: tenant, key }));
      await vi.waitFor(async () => expect(await readStore.find(orderSummary.view, keys)).toEqual(folds), { timeout });
    },
    close: async () => {
      await Promise.all(started.map((projector) => projector.stop()));
      await relay.stop();
      await topics.remove();
      await readStore.close();
      await database.drop();
    },
  };
}

function startProjector({ store, readStore, topics }: Pick<PublishedWorld, 'store' | 'readStore' | 'topics'>) {
  const stopping = new AbortController();
  const batches: ProjectedBatch[] = [];
  const failures: string[] = [];
  const passedOver: PassedOver[] = [];
  const feed = openKafkaFeed({
    ...{ ...topics, store, log: silent },
    onPassedOver: (_, passed) => void passedOver.push(passed),
  });
  const running = runProjector({
    ...{ feed, store, readStore, projection: orderSummary, signal: stopping.signal },
    observe: {
      onBatch: (batch) => void batches.push(batch),
      onFailure: ({ failure }) => void failures.push(failure.message),
    },
  });
  running.catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  return { batches, failures, passedOver, stop };
}

async function foldOf(store: EventStore, id: OrderId) {
  const events = await store.readStream({ stream: orderStream(id) });
  return foldDocument(orderSummary, events, { key: id, document: null });
}
