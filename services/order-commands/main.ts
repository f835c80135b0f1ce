import { alone } from '../../infra/process/alone.ts';
import { main } from '../../infra/process/run-process.ts';
import { apiDescription as api } from '../../schemas/api-description.ts';
import { openSummaryAt } from '../order-queries/summary-at.ts';
import { openKafkaDoor } from './kafka/open.ts';
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
      const { feedUrl } = wiring.config;
      const kafka = feedUrl === null ? {} : await openKafkaDoor({ ...wiring, url: feedUrl, commands }, opening);
      return { ...kafka, ...part, routes: [...part.routes, ...doorRoutes] };
    },
  }),
);
