import { expect, it, vi } from 'vitest';

import { appended, idsOf } from '../../event-store/contract/examples.ts';
import { openMemoryEventStore } from '../../event-store/memory/memory-event-store.ts';
import type { EventStore, Position } from '../../event-store/port.ts';
import type { EventFeed } from '../port.ts';
import { openBell } from './bell.ts';
import { openLogFeed } from './log-feed.ts';

const neverPollMs = 600_000;

it('asks again every few ms after an append of this process until its event has passed the fence', async () => {
  const fenced = storeBehindFence();
  const consumer = tail(fenced.store);
  await vi.waitFor(() => expect(fenced.reads()).toBe(1));
  const { events } = await appended(fenced.store);
  await vi.waitFor(() => expect(fenced.reads()).toBeGreaterThan(5));
  expect(consumer.eventIds()).toEqual([]);
  fenced.lift();
  await vi.waitFor(() => expect(consumer.eventIds()).toEqual(idsOf(events)));
  await consumer.stop();
});

it('does not hammer a store whose fence is held for long: after a while it asks at the slow pace', async () => {
  const fenced = storeBehindFence();
  const consumer = tail(fenced.store, 1);
  await appended(fenced.store);
  await vi.waitFor(() => expect(fenced.reads()).toBeGreaterThan(100), { timeout: 5_000 });
  const reads = fenced.reads();
  for (let round = 0; round < 50; round += 1) await appended(fenced.store);
  expect(fenced.reads() - reads).toBeLessThanOrEqual(2);
  await consumer.stop();
});

it('reads a busy log in pages, not event by event', async () => {
  const store = openMemoryEventStore();
  const reads = vi.spyOn(store, 'readLog');
  const consumer = tail(store, 20);
  for (let round = 0; round < 200; round += 1) {
    await appended(store);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await vi.waitFor(() => expect(consumer.eventIds()).toHaveLength(200));
  expect(reads.mock.calls.length).toBeLessThan(100);
  await consumer.stop();
});

it('compares positions once an append for all consumers together', async () => {
  const store = openMemoryEventStore();
  const compared = vi.spyOn(store, 'comparePositions');
  const feed = openLogFeed(store, { pollMs: neverPollMs });
  const consumers = Array.from({ length: 5 }, () => consume(feed));
  for (let round = 0; round < 200; round += 1) await appended(store);
  const comparisons = compared.mock.calls.length;
  for (const { eventIds, stop } of consumers) {
    await vi.waitFor(() => expect(eventIds()).toHaveLength(200));
    await stop();
  }
  // The rest are questions of consumers at the log's end.
  expect(comparisons).toBeLessThan(300);
});

it('sees the furthest of the appends that its process tells out of order', async () => {
  const { store, tell } = storeThatTells();
  const bell = openBell(store);
  const [first, second, third] = [await appended(store), await appended(store), await appended(store)];
  expect(bell.hasRungAfter(null)).toBe(false);
  tell(third.position);
  tell(second.position);
  expect(bell.hasRungAfter(second.position)).toBe(true);
  expect(bell.hasRungAfter(third.position)).toBe(false);
  tell(first.position);
  expect(bell.hasRungAfter(second.position)).toBe(true);
});

/** A store that tells its listener of appends when the test does. */
function storeThatTells(): { readonly store: EventStore; readonly tell: (position: Position) => void } {
  const store = openMemoryEventStore();
  let listener: (position: Position) => void = () => undefined;
  const onAppend: EventStore['onAppend'] = (listening) => {
    listener = listening;
    return () => undefined;
  };
  return { store: { ...store, onAppend }, tell: (position) => listener(position) };
}

/** A store whose readers see nothing until the fence is lifted, as behind an append that does not end. */
function storeBehindFence(): { readonly store: EventStore; readonly lift: () => void; readonly reads: () => number } {
  const store = openMemoryEventStore();
  const readLog = store.readLog.bind(store);
  let lifted = false;
  const reads = vi.spyOn(store, 'readLog').mockImplementation((query) => {
    if (lifted) return readLog(query);
    return Promise.resolve({ events: [], checkpoint: query.after, atEnd: true });
  });
  return { store, lift: () => void (lifted = true), reads: () => reads.mock.calls.length };
}

function tail(store: EventStore, behindFencePollMs = 5) {
  return consume(openLogFeed(store, { pollMs: neverPollMs, behindFencePollMs }));
}

function consume(feed: EventFeed) {
  const seen: string[] = [];
  const control = new AbortController();
  const ended = feed.run({
    consumer: 'test',
    categories: ['order'],
    batchMax: 100,
    signal: control.signal,
    loadCheckpoint: () => Promise.resolve(null),
    handle: ({ events }) => Promise.resolve(void seen.push(...idsOf(events))),
  });
  const stop = async (): Promise<void> => {
    control.abort();
    await ended;
  };
  return { eventIds: () => seen, stop };
}
