import { Type } from 'typebox';
import type { HttpApp, HttpReply, Routes } from '../../../infra/http-server/app.ts';
import { jsonAnswer, noQuery, tenantHeader } from '../../../infra/http-server/documented.ts';
import { sendProblem } from '../../../infra/http-server/problem.ts';
import { problems, schemaRef, shareSchemas } from '../../../infra/http-server/problem-schema.ts';
import { queryIntegerMax } from '../../../infra/http-server/query-numbers.ts';
import { readTenant } from '../../../infra/http-server/request-headers.ts';
import type { CommandId, OrderId } from '../../../schemas/ids.ts';
import { eventExample, orderExample, orderSummaryShape, recordedEventShape } from '../../../schemas/order-shapes.ts';
import { bodyWithAsOf } from '../answers.ts';
import type { GetAnswer } from '../get-order.ts';
import type { OrderQueries } from '../order-queries.ts';
import { sendWithAddress } from './address-answer.ts';
import { dailySalesRoute } from './daily-sales-route.ts';
import { feedRoute } from './feed-route.ts';
import { leaving } from './leaving.ts';
import { listRoute } from './list-route.ts';
import { streamRoutes } from './stream-routes.ts';
import { timelineRoute } from './timeline-route.ts';

const json = 'application/json; charset=utf-8';
const orderParams = Type.Object({ orderId: Type.String({ format: 'uuid' }) });

/** Every GET of readers: orders one by one and listed, their history and timeline, commands, the log, reports, and live updates. */
export function orderQueryRoutes(queries: OrderQueries): Routes {
  return (app) => {
    shareSchemas(app, [orderSummaryShape, recordedEventShape]);
    getRoute(app, queries);
    listRoute(app, queries);
    historyRoute(app, queries);
    commandRoute(app, queries);
    feedRoute(app, queries);
    timelineRoute(app, queries);
    dailySalesRoute(app, queries);
    streamRoutes(app, queries.live);
  };
}

function getRoute(app: HttpApp, queries: OrderQueries): void {
  app.get(
    '/v1/orders/:orderId',
    {
      schema: {
        operationId: 'getOrder',
        summary: 'One order',
        description: 'Readable at once after its 201. With minVersion never older than that: it waits, or says 409.',
        tags: ['orders'],
        headers: tenantHeader,
        params: orderParams,
        querystring: Type.Object(
          {
            minVersion: Type.Optional(
              Type.Integer({ minimum: 1, maximum: queryIntegerMax, description: 'As an ETag gave it.' }),
            ),
            waitMs: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: 30_000,
                description: 'How long to wait for it; 10 s are waited at most.',
              }),
            ),
            include: Type.Optional(
              Type.Enum(['address'], { description: 'Adds shippingAddress, opened for its owner; never cached.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: jsonAnswer('The order.', schemaRef('OrderSummary'), { example: orderExample, headers: ['etag'] }),
          304: { description: 'It still is at the version that If-None-Match names.' },
          ...problems('INVALID_TENANT', 'ORDER_NOT_FOUND', 'NOT_YET_VISIBLE', 'STORE_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const { minVersion, waitMs, include } = request.query;
      const tenantId = readTenant(request);
      const orderId = request.params.orderId.toLowerCase() as OrderId;
      const signal = (waitMs ?? 0) > 0 ? leaving(reply) : undefined;
      const answer = await queries.get(tenantId, orderId, { minVersion, waitMs, signal });
      if (include === 'address' && answer.outcome === 'found') {
        return sendWithAddress(queries, reply, { tenantId, orderId, order: answer.order });
      }
      return sendOrder(reply, answer, request.headers['if-none-match']);
    },
  );
}

function sendOrder(reply: HttpReply, answer: GetAnswer, ifNoneMatch: string | undefined): HttpReply {
  switch (answer.outcome) {
    case 'not-found':
      return sendProblem(reply, 'ORDER_NOT_FOUND');
    case 'not-yet-visible':
      return sendProblem(reply, 'NOT_YET_VISIBLE');
    case 'parked':
      return sendProblem(reply, 'NOT_YET_VISIBLE', {
        detail:
          'An event of this order cannot be shown until a repair: the order is parked. A lower minVersion is answered.',
      });
    case 'found': {
      const etag = `"${answer.order.version}"`;
      void reply.header('etag', etag).header('cache-control', 'private, no-cache');
      if (ifNoneMatch === etag) return reply.code(304).send();
      return reply.header('content-type', json).send(bodyWithAsOf(answer.order));
    }
  }
}

function historyRoute(app: HttpApp, queries: OrderQueries): void {
  app.get(
    '/v1/orders/:orderId/events',
    {
      schema: {
        operationId: 'getOrderEvents',
        summary: 'The history of one order',
        description: 'Every event of the stream, oldest first; sealed fields stay closed.',
        tags: ['orders', 'events'],
        headers: tenantHeader,
        params: orderParams,
        querystring: noQuery,
        response: {
          200: jsonAnswer(
            'The events.',
            Type.Object({ items: Type.Array(schemaRef('RecordedEvent')), nextCursor: Type.Null() }),
            { example: { items: [eventExample], nextCursor: null } },
          ),
          ...problems('INVALID_TENANT', 'ORDER_NOT_FOUND', 'STORE_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const events = await queries.history(readTenant(request), request.params.orderId.toLowerCase() as OrderId);
      if (events === null) return sendProblem(reply, 'ORDER_NOT_FOUND');
      return reply.header('content-type', json).send(JSON.stringify({ items: events, nextCursor: null }));
    },
  );
}

const commandOutcome = Type.Object({
  commandId: Type.String(),
  outcome: Type.Enum(['accepted', 'rejected']),
  code: Type.Optional(Type.String({ description: 'Of the table of errors; where it was rejected.' })),
  orderId: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], { description: 'null: a command on stock.' }),
  version: Type.Integer({ minimum: 0, description: 'Of the stream after the command.' }),
});

function commandRoute(app: HttpApp, queries: OrderQueries): void {
  app.get(
    '/v1/commands/:commandId',
    {
      schema: {
        operationId: 'getCommand',
        summary: 'What became of a command',
        tags: ['commands'],
        headers: tenantHeader,
        params: Type.Object({ commandId: Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' }) }),
        querystring: noQuery,
        response: {
          200: jsonAnswer('Its first answer.', commandOutcome, {
            example: { commandId: 'order-1001', outcome: 'accepted', orderId: orderExample.orderId, version: 1 },
          }),
          ...problems('INVALID_TENANT', 'COMMAND_NOT_FOUND', 'STORE_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const outcome = await queries.command(readTenant(request), request.params.commandId as CommandId);
      if (outcome === null) return sendProblem(reply, 'COMMAND_NOT_FOUND');
      return reply.header('content-type', json).send(JSON.stringify(outcome));
    },
  );
}
