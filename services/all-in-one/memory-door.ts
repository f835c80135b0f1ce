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
import { projections } from '../../projections/all.ts';
import { stockRoutes } from '../inventory/http/routes.ts';
import { openInventory } from '../inventory/open.ts';
import type { Inventory } from '../inventory/open.ts';
import { orderCommandRoutes } from '../order-commands/http/routes.ts';
import { openOrderCommands } from '../order-commands/open.ts';
import type { OrderCommands } from '../order-commands/open.ts';
import { orderQueryRoutes } from '../order-queries/http/routes.ts';
import { openOrderQueries } from '../order-queries/order-queries.ts';
import { apiDescription } from './api-description.ts';

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
  await readStore.prepare(projections.map(({ view }) => view));
  const snapshots = openOrderSnapshots();
  const queries = openOrderQueries({ store, readStore, snapshots, cursorSecret: 'of the memory door' });
  const observe = (what: 'replayed' | 'conflict'): void => {
    if (what === 'replayed') metrics.count('command_dedupe_hits_total', 'http');
  };
  const commands = openOrderCommands({ store, subjectKeys: await openSubjectKeys('memory:'), paymentTokens, observe });
  const { observePlacement, observeDeduction } = metrics;
  const inventory = openInventory({ store, observe, observeDeduction });
  const summaryAt: typeof queries.summaryAt = (...order) => queries.summaryAt(...order);
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log,
    metrics,
    api: apiDescription,
    routes: [
      orderCommandRoutes({ commands, summaryAt, observePlacement }),
      orderQueryRoutes(queries),
      stockRoutes(inventory),
    ],
    readiness: [{ name: 'event-store', check: () => store.ping() }],
    drainGraceMs: 0,
  });
  return { server, store, commands, inventory, paymentTokens };
}
