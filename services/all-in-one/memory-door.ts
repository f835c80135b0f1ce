import { pino } from 'pino';
import type { Logger } from 'pino';
import { openEventStore } from '../../infra/event-store/open.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { openHttpServer } from '../../infra/http-server/open.ts';
import type { HttpServer } from '../../infra/http-server/open.ts';
import { openMetrics } from '../../infra/metrics/open.ts';
import { openOrderSnapshots } from '../../infra/order-snapshots/open.ts';
import { openPaymentTokens } from '../../infra/payment-tokens/open.ts';
import type { PaymentTokens } from '../../infra/payment-tokens/port.ts';
import { openReadStore } from '../../infra/read-store/open.ts';
import { openSubjectKeys } from '../../infra/subject-keys/open.ts';
import type { SubjectKeys } from '../../infra/subject-keys/port.ts';
import { projections, views } from '../../projections/all.ts';
import type { Inventory } from '../inventory/open.ts';
import { wireInventory } from '../inventory/wire.ts';
import type { OrderCommands } from '../order-commands/open.ts';
import { wireOrderCommands } from '../order-commands/wire.ts';
import type { LiveLimits } from '../order-queries/live/limits.ts';
import type { LiveUpdates } from '../order-queries/live/live-updates.ts';
import { openSummaryAt } from '../order-queries/summary-at.ts';
import { wireOrderQueries } from '../order-queries/wire.ts';
import { parkingRoutes } from '../projector/http/parking-routes.ts';
import { openParkingDesk } from '../projector/parking.ts';
import { apiDescription } from '../../schemas/api-description.ts';

export type MemoryDoor = {
  readonly server: HttpServer;
  readonly store: EventStore;
  readonly commands: OrderCommands;
  readonly inventory: Inventory;
  readonly paymentTokens: PaymentTokens;
  readonly subjectKeys: SubjectKeys;
  readonly live: LiveUpdates;
};

export type MemoryDoorOptions = {
  readonly log?: Logger;
  /** Wraps the store: tests let it fail or wait. */
  readonly wrapStore?: (store: EventStore) => EventStore;
  readonly wrapKeys?: (keys: SubjectKeys) => SubjectKeys;
  readonly liveLimits?: Partial<LiveLimits>;
};

/** All routes over stores in memory, without projector and fulfillment: for the OpenAPI document, and for tests of the door. */
export async function openMemoryDoor(options: MemoryDoorOptions = {}): Promise<MemoryDoor> {
  const { log = pino({ level: 'silent' }), wrapStore = (opened: EventStore) => opened } = options;
  const { wrapKeys = (opened: SubjectKeys) => opened, liveLimits = {} } = options;
  const metrics = openMetrics();
  const store = wrapStore(await openEventStore('memory:'));
  const paymentTokens = await openPaymentTokens('memory:');
  const readStore = openReadStore('memory:');
  await readStore.prepare(views);
  const snapshots = openOrderSnapshots();
  const summaryAt = openSummaryAt(store);
  const subjectKeys = wrapKeys(await openSubjectKeys('memory:'));
  const orderCommands = wireOrderCommands({ store, subjectKeys, paymentTokens, summaryAt, metrics, log });
  const stock = wireInventory({ store, metrics });
  const reading = wireOrderQueries({ store, readStore, snapshots, subjectKeys, metrics, log, liveLimits });
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log,
    metrics,
    api: apiDescription,
    routes: [
      ...[orderCommands, reading, stock].flatMap(({ routes }) => routes),
      parkingRoutes(openParkingDesk({ store, readStore, snapshots, projections })),
    ],
    readiness: [{ name: 'event-store', check: () => store.ping() }],
    drainGraceMs: 0,
  });
  const { live } = reading.queries;
  return {
    server,
    store,
    commands: orderCommands.commands,
    inventory: stock.inventory,
    paymentTokens,
    subjectKeys,
    live,
  };
}
