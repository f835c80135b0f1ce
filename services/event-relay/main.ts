import { openEventFeed } from '../../infra/event-feed/open.ts';
import { alone } from '../../infra/process/alone.ts';
import { main } from '../../infra/process/run-process.ts';
import { apiDescription as api } from '../../schemas/api-description.ts';
import { openRelayTarget } from './open.ts';
import { wireRelay } from './wire.ts';

/** Publishes the event store's log to Kafka. There may be several of it: one at a time works. */
await main(
  alone({
    name: 'event-relay',
    api,
    stores: ['store', 'readStore', 'leases'],
    wire: (wiring, opening) =>
      wireRelay({ ...wiring, ...openRelayTarget(wiring, opening), feed: openEventFeed(wiring.store) }),
  }),
);
