import type { Routes } from '../../infra/http-server/app.ts';
import { countReplays } from '../../infra/metrics/dedupe-hits.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { orderDoorRoutes } from './http/door-routes.ts';
import { orderCommandRoutes } from './http/routes.ts';
import type { OrderCommandRoutesOptions } from './http/routes-options.ts';
import { openOrderCommands, type OrderCommands } from './open.ts';

export type OrderCommandsWiring = Pick<Stores, 'store' | 'subjectKeys' | 'paymentTokens'> &
  Pick<OrderCommandRoutesOptions, 'summaryAt'> & { readonly metrics: Metrics };

export type WiredOrderCommands = Part & {
  readonly commands: OrderCommands;
  /** For our other processes. Where all run in one, nobody asks over HTTP, and strangers find no such door. */
  readonly doorRoutes: readonly Routes[];
};

/** The service that decides orders, behind its HTTP door and behind the one for our other services. */
export function wireOrderCommands(wiring: OrderCommandsWiring): WiredOrderCommands {
  const { store, subjectKeys, paymentTokens, summaryAt, metrics } = wiring;
  const commands = openOrderCommands({ store, subjectKeys, paymentTokens, observe: countReplays(metrics) });
  return {
    commands,
    doorRoutes: [orderDoorRoutes(commands)],
    routes: [orderCommandRoutes({ commands, summaryAt, observePlacement: metrics.observePlacement })],
    readiness: [{ name: 'event-store', check: () => store.ping() }],
  };
}
