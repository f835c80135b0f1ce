import { alone } from '../../infra/process/alone.ts';
import { main } from '../../infra/process/run-process.ts';
import { apiDescription as api } from '../../schemas/api-description.ts';
import { wireInventory } from './wire.ts';

/** The doors that decide stock. */
await main(
  alone({
    name: 'inventory',
    api,
    stores: ['store'],
    wire: (wiring) => {
      const { doorRoutes, ...part } = wireInventory(wiring);
      return { ...part, routes: [...part.routes, ...doorRoutes] };
    },
  }),
);
