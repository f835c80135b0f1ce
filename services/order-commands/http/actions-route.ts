import { Type } from 'typebox';
import type { HttpApp } from '../../../infra/http-server/app.ts';
import { jsonAnswer, noQuery, tenantHeader } from '../../../infra/http-server/documented.ts';
import { sendProblem } from '../../../infra/http-server/problem.ts';
import { problems } from '../../../infra/http-server/problem-schema.ts';
import { readTenant } from '../../../infra/http-server/request-headers.ts';
import type { OrderId } from '../../../schemas/ids.ts';
import type { OrderCommandRoutesOptions } from './routes-options.ts';

const answer = Type.Object({
  items: Type.Array(
    Type.Object({
      action: Type.String({ description: 'The last part of its path.' }),
      allowed: Type.Boolean(),
      code: Type.Optional(Type.String({ description: 'What the command would be refused with.' })),
      reason: Type.Optional(Type.String({ description: 'For a person, with the fact that stands in the way.' })),
    }),
  ),
});

const example = {
  items: [
    {
      action: 'amend',
      allowed: false,
      code: 'ORDER_PAYMENT_BEGUN',
      reason:
        'Payment of the order has begun: payment 0b8e3f59-63a5-5a8a-8d25-0d7c4f0b8a11 by card is authorized from the placement on.',
    },
    { action: 'cancel', allowed: true },
  ],
};

/** Decided on the newest state by the decider itself, so that a button is never greyed out wrongly. */
export function actionsRoute(app: HttpApp, { commands }: OrderCommandRoutesOptions): void {
  app.get(
    '/v1/orders/:orderId/actions',
    {
      schema: {
        operationId: 'getOrderActions',
        summary: 'What can be done with an order now, and why the rest cannot',
        description:
          'Decided as the commands would be, on the order as it is now; what would change nothing is not offered.',
        tags: ['orders'],
        headers: tenantHeader,
        params: Type.Object({ orderId: Type.String({ format: 'uuid' }) }),
        querystring: noQuery,
        response: {
          200: jsonAnswer('One item an action.', answer, { example }),
          ...problems('INVALID_TENANT', 'ORDER_NOT_FOUND', 'STORE_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const orderId = request.params.orderId.toLowerCase() as OrderId;
      const items = await commands.actions(readTenant(request), orderId);
      if (items === null) return sendProblem(reply, 'ORDER_NOT_FOUND');
      return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify({ items }));
    },
  );
}
