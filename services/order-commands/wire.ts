import { countReplays } from '../../infra/metrics/dedupe-hits.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { orderCommandRoutes } from './http/routes.ts';
import type { OrderCommandRoutesOptions } from './http/routes-options.ts';
import { openOrderCommands, type OrderCommands } from './open.ts';

export type OrderCommandsWiring = Pick<Stores, 'store' | 'subjectKeys' | 'paymentTokens'> &
  Pick<OrderCommandRoutesOptions, 'summaryAt'> & { readonly metrics: Metrics };

/** The service that decides orders, behind its HTTP door and behind the one for our other services. */
export function wireOrderCommands(wiring: OrderCommandsWiring): Part & { readonly commands: OrderCommands } {
  const { store, subjectKeys, paymentTokens, summaryAt, metrics } = wiring;
  const commands = openOrderCommands({ store, subjectKeys, paymentTokens, observe: countReplays(metrics) });
  return {
    commands,
    routes: [orderCommandRoutes({ commands, summaryAt, observePlacement: metrics.observePlacement })],
    readiness: [{ name: 'event-store', check: () => store.ping() }],
  };
}
