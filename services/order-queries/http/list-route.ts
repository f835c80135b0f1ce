import { Type } from 'typebox';
import type { HttpApp } from '../../../infra/http-server/app.ts';
import { jsonAnswer, tenantHeader } from '../../../infra/http-server/documented.ts';
import { rejectionParts, sendProblem } from '../../../infra/http-server/problem.ts';
import { problems, schemaRef } from '../../../infra/http-server/problem-schema.ts';
import { readTenant } from '../../../infra/http-server/request-headers.ts';
import { orderExample } from '../../../schemas/order-shapes.ts';
import { bodyWithAsOf } from '../answers.ts';
import type { OrderQueries } from '../order-queries.ts';

const limitDefault = 50;
const limitMax = 200;

const exact = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 128, description }));
const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));

const query = Type.Object(
  {
    customerId: exact('Of this customer.'),
    reference: exact("With this number of the shop's."),
    status: Type.Optional(Type.Enum(['placed', 'paid', 'shipped', 'delivered', 'cancelled', 'returned'])),
    placedFrom: time('Placed at or after.'),
    placedTo: time('Placed before.'),
    sku: exact('With a line of this SKU.'),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, description: `${limitDefault} if absent.` })),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 2_000, description: 'nextCursor of the page before.' }),
    ),
  },
  { additionalProperties: false },
);

const page = Type.Object({
  items: Type.Array(schemaRef('OrderSummary')),
  nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'null: this was the last page.' }),
});

/** Newest first; new orders come before a page and move nothing in it. */
export function listRoute(app: HttpApp, queries: OrderQueries): void {
  app.get(
    '/v1/orders',
    {
      schema: {
        operationId: 'listOrders',
        summary: 'Orders, newest first',
        tags: ['orders'],
        headers: tenantHeader,
        querystring: query,
        response: {
          200: jsonAnswer('A page.', page, { example: { items: [orderExample], nextCursor: null } }),
          ...problems('INVALID_TENANT', 'INVALID_CURSOR', 'VIEWS_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const { limit = limitDefault, cursor, ...filters } = request.query;
      const answer = await queries.list(readTenant(request), filters, { limit, cursor });
      if (answer.outcome === 'rejected') {
        return sendProblem(reply, answer.rejection.code, rejectionParts(answer.rejection));
      }
      // Bodies are ready texts: they are joined, not parsed and built again.
      const items = answer.items.map((item) => bodyWithAsOf(item).toString()).join(',');
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .send(`{"items":[${items}],"nextCursor":${JSON.stringify(answer.nextCursor)}}`);
    },
  );
}
