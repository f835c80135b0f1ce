import { expect, it } from 'vitest';

import { eventsOf, exampleAppend, exampleEvent } from '../contract/examples.ts';
import { openMemoryEventStore } from './memory-event-store.ts';

it('records by the clock that it was given', async () => {
  const store = openMemoryEventStore({ now: () => new Date('2026-01-02T03:04:05.678Z') });
  const append = exampleAppend();
  await store.append(append);
  const recordedAt = '2026-01-02T03:04:05.678Z';
  expect(await store.readStream({ stream: append.stream })).toMatchObject([{ recordedAt, occurredAt: recordedAt }]);
});

it('refuses with OVERLOADED what does not fit its bounds, and stores nothing of it', async () => {
  const store = openMemoryEventStore({ eventsMax: 3 });
  const tooMany = exampleAppend({ events: eventsOf(4) });
  await expect(store.append(tooMany)).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
  expect(await store.head()).toBeNull();
});

it('refuses with OVERLOADED more calls in flight than it may queue', async () => {
  const store = openMemoryEventStore({ queuedMax: 2 });
  const calls = [exampleAppend(), exampleAppend(), exampleAppend()].map((append) => store.append(append));
  const results = await Promise.allSettled(calls);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
});

it('refuses a time that is none as a poison value', async () => {
  const append = exampleAppend({ events: [exampleEvent({ occurredAt: 'yesterday' })] });
  await expect(openMemoryEventStore().append(append)).rejects.toMatchObject({ code: 'POISON_VALUE' });
});
