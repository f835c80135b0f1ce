import { describe, expect, it } from 'vitest';

import { describeWithPostgres } from '../../test/postgres.ts';
import { openOnPostgres } from '../event-store/contract/on-postgres.ts';
import { openMemoryEventStore } from '../event-store/memory/memory-event-store.ts';
import { newMemoryLog } from '../event-store/memory/memory-log.ts';
import { eventFeedContract } from './contract.ts';
import { openLogFeed } from './log/log-feed.ts';
import { openEventFeed } from './open.ts';

eventFeedContract('the log in memory', () => {
  const log = newMemoryLog();
  const store = openMemoryEventStore({ log });
  const second = () => Promise.resolve(openMemoryEventStore({ log }));
  return Promise.resolve({ store, second, feed: openLogFeed(store), close: () => Promise.resolve() });
});

describeWithPostgres('a real Postgres', () => {
  eventFeedContract('the log on Postgres', async () => {
    const fresh = await openOnPostgres();
    return { ...fresh, feed: openLogFeed(fresh.store) };
  });
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

  it('names what it cannot open yet, and what it does not know', () => {
    const store = openMemoryEventStore();
    expect(() => openEventFeed(store, { url: 'kafka://broker:9092' })).toThrow('later version');
    expect(() => openEventFeed(store, { url: 'amqp://broker' })).toThrow('FEED_URL');
  });
});
