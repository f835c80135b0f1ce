import { alone } from '../../infra/process/alone.ts';
import { main } from '../../infra/process/run-process.ts';
import { views } from '../../projections/all.ts';
import { apiDescription as api } from '../../schemas/api-description.ts';
import { wireOrderQueries } from './wire.ts';

/** What readers ask. A cache in this process has no writer: it then keeps an order for the short life of a fill. */
await main(
  alone({
    name: 'order-queries',
    api,
    stores: ['store', 'subjectKeys', 'readStore', 'snapshots'],
    views,
    wire: wireOrderQueries,
  }),
);
