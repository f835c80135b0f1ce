import { openEventFeed } from '../../infra/event-feed/open.ts';
import { alone } from '../../infra/process/alone.ts';
import { main } from '../../infra/process/run-process.ts';
import { views } from '../../projections/all.ts';
import { apiDescription as api } from '../../schemas/api-description.ts';
import { wireWaitingOrders } from '../fulfillment/wire.ts';
import { openPublished } from './published.ts';
import { wireProjector } from './wire.ts';

/** Keeps all views. There may be several of it: one at a time works on each view, or, on Kafka, each on some orders. */
await main(
  alone({
    name: 'projector',
    api,
    stores: ['store', 'readStore', 'snapshots', 'leases'],
    views,
    wire: (wiring, opening) =>
      wireProjector({
        ...wiring,
        feed: openEventFeed(wiring.store),
        published: openPublished(wiring, opening),
        others: [wireWaitingOrders(wiring)],
      }),
  }),
);
