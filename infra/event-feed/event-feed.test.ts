import { expect, it } from 'vitest';

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
import { openPublishedFeed } from './open.ts';

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

it('names what it cannot read of a published feed', () => {
  const options = { store: openMemoryEventStore(), log: silent };
  expect(() => openPublishedFeed({ ...options, url: 'kafka://broker' })).toThrow('each broker as host:port');
  expect(() => openPublishedFeed({ ...options, url: 'amqp://broker' })).toThrow('FEED_URL');
});
