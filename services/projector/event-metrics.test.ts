import { expect, it, vi } from 'vitest';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import { appended, idsOf } from '../../infra/event-store/contract/examples.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { runEventMetrics } from './event-metrics.ts';

it('counts each event since the start once, also after an outage of the store', async () => {
  const store = openMemoryEventStore();
  await appended(store);
  const { counted, stop } = await startMetrics(store);
  const before = [await appended(store), await appended(store)];
  await vi.waitFor(() => expect(counted).toHaveLength(2));
  const outage = new OperationalFailure('STORE_UNAVAILABLE', 'a cable', { retryable: true });
  const failing = vi.spyOn(store, 'readLog').mockRejectedValueOnce(outage);
  const during = await appended(store);
  await vi.waitFor(() => expect(counted).toContain(idsOf(during.events)[0]), { timeout: 5_000 });
  expect(failing.mock.settledResults[0]).toEqual({ type: 'rejected', value: outage });
  expect(counted).toEqual([...before, during].flatMap(({ events }) => idsOf(events)));
  await stop();
});

async function startMetrics(store: EventStore) {
  const counted: string[] = [];
  const stopping = new AbortController();
  const running = runEventMetrics(
    {
      store,
      feed: openLogFeed(store),
      metrics: { observeEvent: ({ eventId }) => void counted.push(eventId) },
      onFailure: () => undefined,
    },
    stopping.signal,
  );
  // The head of the start is known: what comes now counts.
  await store.head();
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  return { counted, stop };
}

it('leaves out an event that cannot be counted, and counts the next', async () => {
  const store = openMemoryEventStore();
  const counted: string[] = [];
  let met = 0;
  const observeEvent = ({ eventId }: { readonly eventId: string }): void => {
    met += 1;
    if (met === 1) throw new TypeError('no lines');
    counted.push(eventId);
  };
  const stopping = new AbortController();
  const metrics = { observeEvent };
  const running = runEventMetrics(
    { store, feed: openLogFeed(store), metrics, onFailure: () => undefined },
    stopping.signal,
  );
  await store.head();
  await appended(store);
  const next = await appended(store);
  await vi.waitFor(() => expect(counted).toEqual(idsOf(next.events)));
  stopping.abort();
  await running;
});
