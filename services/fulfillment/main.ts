import { openEventFeed } from '../../infra/event-feed/open.ts';
import { alone } from '../../infra/process/alone.ts';
import { main } from '../../infra/process/run-process.ts';
import { views } from '../../projections/all.ts';
import { apiDescription as api } from '../../schemas/api-description.ts';
import { wireInventory } from '../inventory/wire.ts';
import { wireOrderCommands } from '../order-commands/wire.ts';
import { openSummaryAt } from '../order-queries/summary-at.ts';
import { findGateways } from '../simulators/gateway-urls.ts';
import { wireFulfillment } from './wire.ts';

/** Drives the sagas. The orders and the stock that they ask are decided in this process, over the same store. */
await main(
  alone({
    name: 'fulfillment',
    api,
    stores: ['store', 'subjectKeys', 'paymentTokens', 'readStore', 'leases'],
    views,
    wire: async (wiring, opening) => {
      const { store, config } = wiring;
      const { gatewayUrls } = await findGateways(config, opening);
      const orders = wireOrderCommands({ ...wiring, summaryAt: openSummaryAt(store) }).commands.door;
      const inventory = wireInventory(wiring).inventory.door;
      return wireFulfillment({ ...wiring, orders, inventory, gatewayUrls, feed: openEventFeed(store) });
    },
  }),
);
