import { pino } from 'pino';
import { apiDescription } from '../../schemas/api-description.ts';
import type { OrderDoorCommand } from '../../schemas/commands.ts';
import { orderStream, type CommandId, type TenantId } from '../../schemas/ids.ts';
import { orderDoorRoutes } from '../../services/order-commands/http/door-routes.ts';
import { openOrderCommands } from '../../services/order-commands/open.ts';
import { OperationalFailure } from '../failures.ts';
import { openMemoryEventStore } from '../event-store/memory/memory-event-store.ts';
import type { EventStore } from '../event-store/port.ts';
import { openHttpServer, type HttpServer } from '../http-server/open.ts';
import { openMetrics } from '../metrics/open.ts';
import { openMemoryPaymentTokens } from '../payment-tokens/memory/memory-payment-tokens.ts';
import { openMemorySubjectKeys } from '../subject-keys/memory/memory-subject-keys.ts';
import type { DoorWorld } from './contract.ts';
import { openCommandDoor, type RemoteDoor } from './open.ts';
import type { CommandAnswer } from './port.ts';
import { readCommandAnswer } from './wire-format.ts';

let placements = 0;

/** The service of orders over a store in memory, asked by a function call. */
export function openOrderDoor(): DoorWorld & { readonly serve: () => Promise<HttpServer> } {
  const memory = openMemoryEventStore();
  let isBroken = false;
  const store: EventStore = {
    ...memory,
    append: (append) => (isBroken ? Promise.reject(unavailable()) : memory.append(append)),
  };
  const commands = openOrderCommands({
    store,
    subjectKeys: openMemorySubjectKeys(),
    paymentTokens: openMemoryPaymentTokens(),
  });
  return {
    door: commands.door,
    inProcess: commands.door,
    place: async () => {
      placements += 1;
      const call = { tenantId: 'default' as TenantId, commandId: `p${placements}` as CommandId, correlationId: 'test' };
      const lines = [{ sku: 'cup', quantity: 1, unitPrice: 500 }];
      const order = { customerId: 'c', currency: 'EUR', lines, payments: [{ method: 'card' }] };
      return (await commands.place(call, order)).orderId;
    },
    eventsOf: (orderId) => memory.readStream({ stream: orderStream(orderId) }),
    breakStore: () => void (isBroken = true),
    close: () => Promise.resolve(),
    serve: () =>
      openHttpServer({
        ...{ host: '127.0.0.1', port: 0, log: pino({ level: 'silent' }), metrics: openMetrics(), api: apiDescription },
        ...{ routes: [orderDoorRoutes(commands)], readiness: [], drainGraceMs: 0 },
      }),
  };
}

export function remoteOrders(url: string): RemoteDoor<OrderDoorCommand, CommandAnswer> {
  return openCommandDoor({ url, name: 'orders', read: readCommandAnswer });
}

function unavailable(): OperationalFailure {
  return new OperationalFailure('STORE_UNAVAILABLE', 'a test took it away', { retryable: true });
}
