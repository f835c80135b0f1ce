import { alone } from '../../infra/process/alone.ts';
import { main } from '../../infra/process/run-process.ts';
import { apiDescription as api } from '../../schemas/api-description.ts';
import { openSummaryAt } from '../order-queries/summary-at.ts';
import { wireOrderCommands } from './wire.ts';

/** The doors that decide orders. */
await main(
  alone({
    name: 'order-commands',
    api,
    stores: ['store', 'subjectKeys', 'paymentTokens'],
    wire: (wiring) => {
      const { doorRoutes, ...part } = wireOrderCommands({ ...wiring, summaryAt: openSummaryAt(wiring.store) });
      return { ...part, routes: [...part.routes, ...doorRoutes] };
    },
  }),
);
