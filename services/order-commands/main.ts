import { alone } from '../../infra/process/alone.ts';
import { main } from '../../infra/process/run-process.ts';
import { apiDescription as api } from '../../schemas/api-description.ts';
import { openSummaryAt } from '../order-queries/summary-at.ts';
import { openConfiguredKafkaDoor } from './kafka/open.ts';
import { wireOrderCommands } from './wire.ts';

/** The doors that decide orders: HTTP, and Kafka where FEED_URL names one. */
await main(
  alone({
    name: 'order-commands',
    api,
    stores: ['store', 'subjectKeys', 'paymentTokens'],
    wire: async (wiring, opening) => {
      const { doorRoutes, commands, ...part } = wireOrderCommands({
        ...wiring,
        summaryAt: openSummaryAt(wiring.store),
      });
      const kafka = await openConfiguredKafkaDoor({ ...wiring, commands }, opening);
      const run = kafka?.run;
      return { ...part, ...(run && { run }), routes: [...part.routes, ...doorRoutes] };
    },
  }),
);
