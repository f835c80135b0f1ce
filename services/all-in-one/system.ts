import { openEventFeed } from '../../infra/event-feed/open.ts';
import { newLeaseOwner } from '../../infra/leases/open.ts';
import { publishRunning } from '../../infra/local/data-dir.ts';
import { openDatabase } from '../../infra/local/database.ts';
import { exchangeLeaseOwner } from '../../infra/local/lease-owner.ts';
import type { OpenedRole, ProcessContext } from '../../infra/process/open-process.ts';
import { openStores, storeUrls } from '../../infra/process/stores.ts';
import { views } from '../../projections/all.ts';
import { openDoors } from '../fulfillment/doors.ts';
import { openRelayTarget } from '../event-relay/open.ts';
import { wireRelay } from '../event-relay/wire.ts';
import { wireFulfillment, wireWaitingOrders } from '../fulfillment/wire.ts';
import { wireInventory } from '../inventory/wire.ts';
import { openConfiguredKafkaDoor } from '../order-commands/kafka/open.ts';
import { wireOrderCommands } from '../order-commands/wire.ts';
import { openSummaryAt } from '../order-queries/summary-at.ts';
import { wireOrderQueries } from '../order-queries/wire.ts';
import { openPublished } from '../projector/published.ts';
import { wireProjector } from '../projector/wire.ts';
import { findGateways } from '../simulators/gateway-urls.ts';
import { apiDescription } from '../../schemas/api-description.ts';
import { welcome } from './welcome.ts';

/**
 * Every role in one process: this file is the deployment.
 * @throws OperationalFailure DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, POSTGRES_START_FAILED, STORE_UNAVAILABLE,
 *   UNSAFE_DURABILITY, FOREIGN_STORE
 */
export async function openSystem(context: ProcessContext, opening: AsyncDisposableStack): Promise<OpenedRole> {
  const { config, log, metrics } = context;
  const { eventStoreUrl, ...database } = await openDatabase(config, opening, { log: (line) => log.info(line) });
  const owner = newLeaseOwner();
  // The folder is claimed: the process before is dead, and nobody waits for the end of its leases.
  const leaseOwner = { owner, former: await exchangeLeaseOwner(config.dataDir, owner) };
  const memory = { dataDir: config.dataDir, eventStoreUrl: config.eventStoreUrl };
  const source = { urls: storeUrls(eventStoreUrl, config), views, metrics, leaseOwner, memory };
  const stores = await openStores(
    source,
    ['store', 'subjectKeys', 'paymentTokens', 'readStore', 'snapshots', 'leases'],
    opening,
  );
  const { gatewayUrls, simulatorUrls } = await findGateways(config, opening);
  // One feed for all: its consumers share what they read of the log.
  const wiring = { ...context, ...stores, feed: openEventFeed(stores.store), gatewayUrls };
  const orderCommands = wireOrderCommands({ ...wiring, summaryAt: openSummaryAt(stores.store) });
  const inventory = wireInventory(wiring);
  const { commands } = orderCommands;
  const kafkaDoor = await openConfiguredKafkaDoor({ ...context, commands }, opening);
  const local = { orders: () => commands.door, inventory: () => inventory.inventory.door };
  const doors = await openDoors({ config, metrics, local });
  return {
    ...database,
    api: apiDescription,
    parts: [
      orderCommands,
      ...(kafkaDoor === null ? [] : [kafkaDoor]),
      wireOrderQueries(wiring),
      inventory,
      wireProjector({ ...wiring, published: openPublished(wiring, opening), others: [wireWaitingOrders(wiring)] }),
      ...(config.feedUrl === null ? [] : [wireRelay({ ...wiring, ...openRelayTarget(context, opening) })]),
      wireFulfillment({ ...wiring, ...doors }),
    ],
    onReady: async (url) => {
      const { dataDir } = config;
      const postgresUrl = eventStoreUrl.startsWith('memory:') ? '' : eventStoreUrl;
      await publishRunning(dataDir, { pid: process.pid, urls: { http: url, ...simulatorUrls }, postgresUrl });
      process.stdout.write(`${welcome({ url, simulatorUrls }, dataDir)}\n`);
    },
  };
}
