import { expect, it } from 'vitest';
import type { FeedBatch } from '../../infra/event-feed/port.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import { openTransactor } from '../../infra/event-store/transact.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import { anOrderId, placement, recorded } from '../../projections/examples.ts';
import type { AnyEvent } from '../../schemas/envelope.ts';
import { fulfillmentStream } from '../../schemas/ids.ts';
import { runOrderFeed } from './feed-consumer.ts';
import { defaultLimits } from './limits.ts';
import type { Observation } from './observe.ts';
import { sagaDecider } from './saga.ts';

it('tells of an order that it cannot understand, and starts the sagas of the others', async () => {
  const store = openMemoryEventStore();
  const [broken, fine] = [anOrderId('broken'), anOrderId('fine')];
  const withoutLines = { type: 'OrderPlaced', data: { orderId: broken } } as unknown as AnyEvent;
  const events = [withoutLines, placement(fine)].flatMap((event) => recorded([event]));
  const observed: Observation[] = [];
  const batch: FeedBatch = { partition: 'log', events, checkpoint: events[1]?.position ?? ('' as never), atEnd: true };
  await runOrderFeed(
    {
      feed: { run: ({ loadCheckpoint, handle }) => loadCheckpoint('log').then(() => handle(batch)) },
      readStore: openMemoryReadStore(),
      transactor: openTransactor(store, { decider: sagaDecider }),
      driver: { room: () => Promise.resolve(), drive: () => Promise.resolve('idle') } as never,
      limits: defaultLimits,
      unpaidExpiryMs: () => 60_000,
      observe: (observation) => void observed.push(observation),
    },
    new AbortController().signal,
  );
  expect(observed).toMatchObject([{ what: 'bug', orderId: broken }]);
  expect(await store.readStream({ stream: fulfillmentStream(broken) })).toEqual([]);
  expect((await store.readStream({ stream: fulfillmentStream(fine) }))[0]?.type).toBe('FulfillmentStarted');
});
