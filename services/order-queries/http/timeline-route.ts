import { Type } from 'typebox';
import type { HttpApp } from '../../../infra/http-server/app.ts';
import { jsonAnswer, noQuery, tenantHeader } from '../../../infra/http-server/documented.ts';
import { sendProblem } from '../../../infra/http-server/problem.ts';
import { problems } from '../../../infra/http-server/problem-schema.ts';
import { readTenant } from '../../../infra/http-server/request-headers.ts';
import type { OrderId } from '../../../schemas/ids.ts';
import { asOfShape, orderExample } from '../../../schemas/order-shapes.ts';
import type { OrderQueries } from '../order-queries.ts';

const part = (description: string) => Type.Optional(Type.String({ description }));

const item = Type.Object({
  version: Type.Integer({ minimum: 1, description: 'Of the order after the step.' }),
  at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
    description: 'When it happened; null: history that nobody knows the time of.',
  }),
  type: Type.String({ description: 'Of the event.' }),
  title: Type.String({ description: 'In words.' }),
  amount: Type.Optional(Type.Integer({ minimum: 0, description: 'Minor units.' })),
  currency: part('ISO 4217.'),
  quantity: Type.Optional(Type.Integer({ minimum: 0, description: 'Units of all lines.' })),
  paymentId: part('Which payment.'),
  refundId: part('Which refund.'),
  shipmentId: part('Which shipment.'),
  carrier: part('Who carries it.'),
  trackingNumber: part('As the carrier gave it.'),
  reason: part('Why it was asked for.'),
  code: part('Why it failed.'),
});

const timeline = Type.Object({
  orderId: Type.String({ format: 'uuid' }),
  items: Type.Array(item),
  omitted: Type.Integer({ minimum: 0, description: 'Older steps that are left out; /events has them all.' }),
  asOf: asOfShape,
});

const example = {
  orderId: orderExample.orderId,
  items: [
    {
      version: 1,
      at: orderExample.placedAt,
      type: 'OrderPlaced',
      title: 'Order placed',
      amount: orderExample.totals.total,
      currency: orderExample.currency,
      quantity: 2,
    },
  ],
  omitted: 0,
  asOf: { ...orderExample.asOf, projection: 'order-timeline@1' },
};

/** What a shop's support page shows of an order. */
export function timelineRoute(app: HttpApp, queries: OrderQueries): void {
  app.get(
    '/v1/orders/:orderId/timeline',
    {
      schema: {
        operationId: 'getOrderTimeline',
        summary: 'The life of one order, in words',
        description: 'Its last 500 steps, oldest first. Nothing personal.',
        tags: ['orders'],
        headers: tenantHeader,
        params: Type.Object({ orderId: Type.String({ format: 'uuid' }) }),
        querystring: noQuery,
        response: {
          200: jsonAnswer('The steps.', timeline, { example }),
          ...problems('INVALID_TENANT', 'ORDER_NOT_FOUND', 'NOT_YET_VISIBLE', 'STORE_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const answer = await queries.timeline(readTenant(request), request.params.orderId.toLowerCase() as OrderId);
      switch (answer.outcome) {
        case 'not-found':
          return sendProblem(reply, 'ORDER_NOT_FOUND');
        case 'parked':
          return sendProblem(reply, 'NOT_YET_VISIBLE', {
            detail: 'The first event of this order cannot be shown until a repair: the order is parked.',
          });
        case 'found':
          return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(answer.timeline));
      }
    },
  );
}
