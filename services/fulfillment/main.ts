import { openEventFeed } from '../../infra/event-feed/open.ts';
import { openStores, sharedStoreUrls } from '../../infra/process/stores.ts';
import { alone } from '../../infra/process/alone.ts';
import { main } from '../../infra/process/run-process.ts';
import { views } from '../../projections/all.ts';
import { apiDescription as api } from '../../schemas/api-description.ts';
import { wireInventory } from '../inventory/wire.ts';
import { wireOrderCommands } from '../order-commands/wire.ts';
import { openSummaryAt } from '../order-queries/summary-at.ts';
import { findGateways } from '../simulators/gateway-urls.ts';
import { openDoors } from './doors.ts';
import { wireFulfillment } from './wire.ts';

/** Drives the sagas. Orders and stock that have no address are decided in this process, over the same store. */
await main(
  alone({
    name: 'fulfillment',
    api,
    stores: ['store', 'paymentTokens', 'readStore', 'leases'],
    views,
    wire: async (wiring, opening) => {
      const { store, config, metrics } = wiring;
      const { gatewayUrls } = await findGateways(config, opening);
      const doors = await openDoors({
        config,
        metrics,
        local: {
          orders: async () => {
            const source = { urls: sharedStoreUrls(config), views, metrics };
            const { subjectKeys } = await openStores(source, ['subjectKeys'], opening);
            return wireOrderCommands({ ...wiring, subjectKeys, summaryAt: openSummaryAt(store) }).commands.door;
          },
          inventory: () => wireInventory(wiring).inventory.door,
        },
      });
      return wireFulfillment({ ...wiring, ...doors, gatewayUrls, feed: openEventFeed(store) });
    },
  }),
);
