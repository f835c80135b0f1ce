import type { Logger } from 'pino';
import type { Routes } from '../../infra/http-server/app.ts';
import { countReplays } from '../../infra/metrics/dedupe-hits.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { faultOf } from '../../infra/poison.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import type { OrderId } from '../../schemas/ids.ts';
import { orderDoorRoutes } from './http/door-routes.ts';
import { orderCommandRoutes } from './http/routes.ts';
import type { OrderCommandRoutesOptions } from './http/routes-options.ts';
import { openOrderCommands, type OrderCommands } from './open.ts';

export type OrderCommandsWiring = Pick<Stores, 'store' | 'subjectKeys' | 'paymentTokens'> &
  Pick<OrderCommandRoutesOptions, 'summaryAt'> & { readonly metrics: Metrics; readonly log: Pick<Logger, 'error'> };

export type WiredOrderCommands = Part & {
  readonly commands: OrderCommands;
  /** For our other processes. Where all run in one, nobody asks over HTTP, and strangers find no such door. */
  readonly doorRoutes: readonly Routes[];
};

/** The service that decides orders, behind its HTTP door and behind the one for our other services. */
export function wireOrderCommands(wiring: OrderCommandsWiring): WiredOrderCommands {
  const { store, subjectKeys, paymentTokens, summaryAt, metrics, log } = wiring;
  const commands = openOrderCommands({ store, subjectKeys, paymentTokens, observe: countReplays(metrics) });
  const onUnshown = (orderId: OrderId, error: unknown): void => {
    const reason = faultOf(error, 'services/order-commands/').error;
    log.error({ orderId, reason }, 'an order was changed for good, and cannot be shown');
  };
  const showing = { summaryAt, onUnshown, observePlacement: metrics.observePlacement };
  return {
    commands,
    doorRoutes: [orderDoorRoutes(commands)],
    routes: [orderCommandRoutes({ commands, ...showing })],
    readiness: [{ name: 'event-store', check: () => store.ping() }],
  };
}
