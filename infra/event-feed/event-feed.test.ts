import { describe, expect, it } from 'vitest';

import { describeWithKafka } from '../../test/kafka.ts';
import { describeWithPostgres } from '../../test/postgres.ts';
import { openOnPostgres } from '../event-store/contract/on-postgres.ts';
import { openMemoryEventStore } from '../event-store/memory/memory-event-store.ts';
import { newMemoryLog } from '../event-store/memory/memory-log.ts';
import { eventFeedContract } from './contract.ts';
import type { FeedUnderTest } from './contract/consume.ts';
import { logFeedContract } from './contract/log.ts';
import { openOnKafka, silent } from './contract/on-kafka.ts';
import { openLogFeed } from './log/log-feed.ts';
import { openEventFeed } from './open.ts';

const inMemory = (): Promise<FeedUnderTest> => {
  const log = newMemoryLog();
  const store = openMemoryEventStore({ log });
  const second = () => Promise.resolve(openMemoryEventStore({ log }));
  return Promise.resolve({ store, second, feed: openLogFeed(store), close: () => Promise.resolve() });
};
const onPostgres = async (): Promise<FeedUnderTest> => {
  const fresh = await openOnPostgres();
  return { ...fresh, feed: openLogFeed(fresh.store) };
};

eventFeedContract('the log in memory', inMemory);
logFeedContract('the log in memory', inMemory);

describeWithPostgres('a real Postgres', () => {
  eventFeedContract('the log on Postgres', onPostgres);
  logFeedContract('the log on Postgres', onPostgres);
});

describeWithKafka('a real Kafka', () => {
  eventFeedContract('Kafka', openOnKafka);
});

describe('openEventFeed', () => {
  it('reads the event store itself where FEED_URL is absent', async () => {
    const feed = openEventFeed(openMemoryEventStore(), {});
    const control = new AbortController();
    control.abort();
    const nothing = { loadCheckpoint: () => Promise.resolve(null), handle: () => Promise.resolve() };
    const subscription = { consumer: 'test', categories: [], batchMax: 1, signal: control.signal, ...nothing };
    await expect(feed.run(subscription)).resolves.toBeUndefined();
  });

  it('names what it cannot read', () => {
    const store = openMemoryEventStore();
    expect(() => openEventFeed(store, { url: 'kafka://broker', log: silent })).toThrow('each broker as host:port');
    expect(() => openEventFeed(store, { url: 'amqp://broker' })).toThrow('FEED_URL');
  });
});
