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
import { views } from '../../projections/all.ts';
import type { Inventory } from '../inventory/open.ts';
import { wireInventory } from '../inventory/wire.ts';
import type { OrderCommands } from '../order-commands/open.ts';
import { wireOrderCommands } from '../order-commands/wire.ts';
import { openSummaryAt } from '../order-queries/summary-at.ts';
import { wireOrderQueries } from '../order-queries/wire.ts';
import { apiDescription } from '../../schemas/api-description.ts';

export type MemoryDoor = {
  readonly server: HttpServer;
  readonly store: EventStore;
  readonly commands: OrderCommands;
  readonly inventory: Inventory;
  readonly paymentTokens: PaymentTokens;
};

export type MemoryDoorOptions = {
  readonly log?: Logger;
  /** Wraps the store: tests let it fail or wait. */
  readonly wrapStore?: (store: EventStore) => EventStore;
};

/** All routes over stores in memory, without projector and fulfillment: for the OpenAPI document, and for tests of the door. */
export async function openMemoryDoor(options: MemoryDoorOptions = {}): Promise<MemoryDoor> {
  const { log = pino({ level: 'silent' }), wrapStore = (opened: EventStore) => opened } = options;
  const metrics = openMetrics();
  const store = wrapStore(await openEventStore('memory:'));
  const paymentTokens = await openPaymentTokens('memory:');
  const readStore = openReadStore('memory:');
  await readStore.prepare(views);
  const snapshots = openOrderSnapshots();
  const summaryAt = openSummaryAt(store);
  const subjectKeys = await openSubjectKeys('memory:');
  const orderCommands = wireOrderCommands({ store, subjectKeys, paymentTokens, summaryAt, metrics });
  const stock = wireInventory({ store, metrics });
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log,
    metrics,
    api: apiDescription,
    routes: [orderCommands, wireOrderQueries({ store, readStore, snapshots, metrics }), stock].flatMap(
      ({ routes }) => routes,
    ),
    readiness: [{ name: 'event-store', check: () => store.ping() }],
    drainGraceMs: 0,
  });
  return { server, store, commands: orderCommands.commands, inventory: stock.inventory, paymentTokens };
}
