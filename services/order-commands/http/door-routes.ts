import { serveDoor } from '../../../infra/command-door/serve.ts';
import type { Routes } from '../../../infra/http-server/app.ts';
import { shareSchemas } from '../../../infra/http-server/problem-schema.ts';
import type { OrderCommands } from '../open.ts';
import { orderDoorCommands } from './door-schemas.ts';
import { amendOrderSchema } from './order-schemas.ts';

/** What the sagas of another process ask of the orders of this one. */
export function orderDoorRoutes({ door }: Pick<OrderCommands, 'door'>): Routes {
  const serve = serveDoor({ name: 'orders', door, commands: orderDoorCommands });
  return (app) => {
    shareSchemas(app, [amendOrderSchema]);
    serve(app);
  };
}
