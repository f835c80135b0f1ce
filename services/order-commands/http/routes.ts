import { Type } from 'typebox';
import type { HttpApp, Routes } from '../../../infra/http-server/app.ts';
import { commandCodes, commandHeaders, jsonAnswer } from '../../../infra/http-server/documented.ts';
import { dryRunQuery, markDryRun } from '../../../infra/http-server/dry-run.ts';
import { problems, schemaRef, shareSchemas } from '../../../infra/http-server/problem-schema.ts';
import type { HistoricalFact, OrderInput } from '../../../schemas/commands.ts';
import type { OrderId } from '../../../schemas/ids.ts';
import { orderExample, orderSummaryShape } from '../../../schemas/order-shapes.ts';
import { actionsRoute } from './actions-route.ts';
import { amendRoute } from './amend-route.ts';
import { batchRoute } from './batch-route.ts';
import { callOf } from './command-call.ts';
import {
  amendOrderSchema,
  backfillExample,
  backfillOrderSchema,
  batchItemSchema,
  cancelOrderSchema,
  factSchemas,
  placeOrderExample,
  placeOrderSchema,
} from './order-schemas.ts';
import { sendResult, toResult, unshown } from './send-order.ts';
import type { OrderCommandRoutesOptions } from './routes-options.ts';

const summaryRef = schemaRef<string>('OrderSummary');
const placed = jsonAnswer(`The order, stored for good. ${unshown}`, summaryRef, {
  example: orderExample,
  headers: ['location', 'etag', 'idempotency-replayed', 'dry-run'],
});

/** POST /v1/orders, /v1/orders/batch, /v1/orders/backfill, /v1/orders/{id}/amend and /cancel; GET /v1/orders/{id}/actions. */
export function orderCommandRoutes(options: OrderCommandRoutesOptions): Routes {
  return (app) => {
    shareSchemas(app, [
      ...factSchemas,
      placeOrderSchema,
      backfillOrderSchema,
      batchItemSchema,
      amendOrderSchema,
      cancelOrderSchema,
      orderSummaryShape,
    ]);
    placeRoute(app, options);
    batchRoute(app, options);
    backfillRoute(app, options);
    amendRoute(app, options);
    cancelRoute(app, options);
    actionsRoute(app, options);
  };
}

function placeRoute(app: HttpApp, options: OrderCommandRoutesOptions): void {
  const { commands, observePlacement } = options;
  app.post(
    '/v1/orders',
    {
      ...markDryRun,
      schema: {
        operationId: 'placeOrder',
        summary: 'Place an order',
        description: 'Durable when answered, and at once readable. Retry with the same Idempotency-Key.',
        tags: ['orders'],
        headers: commandHeaders,
        querystring: dryRunQuery,
        body: { ...schemaRef<OrderInput>('PlaceOrder'), examples: [placeOrderExample] },
        response: {
          201: placed,
          ...problems(...commandCodes, 'TOTAL_MISMATCH', 'ORDER_ALREADY_EXISTS', 'REFERENCE_TAKEN'),
        },
      },
    },
    async (request, reply) => {
      const call = callOf(request);
      const result = await toResult(await commands.place(call, request.body), call.tenantId, options);
      if (result.kind === 'order' && !result.replayed && call.dryRun !== true)
        observePlacement?.(reply.elapsedTime / 1_000, call.correlationId);
      return sendResult(reply, result, 201);
    },
  );
}

function backfillRoute(app: HttpApp, options: OrderCommandRoutesOptions): void {
  app.post(
    '/v1/orders/backfill',
    {
      ...markDryRun,
      schema: {
        operationId: 'backfillOrder',
        summary: 'Bring in one historical order with what happened to it',
        description: 'One append; starts no fulfillment and moves no live metric. Facts are kept as they are.',
        tags: ['orders'],
        headers: commandHeaders,
        querystring: dryRunQuery,
        body: { ...schemaRef<OrderInput>('BackfillOrder'), examples: [backfillExample] },
        response: {
          201: placed,
          ...problems(...commandCodes, 'TOTAL_MISMATCH', 'ORDER_ALREADY_EXISTS', 'REFERENCE_TAKEN'),
        },
      },
    },
    async (request, reply) => {
      const call = callOf(request);
      const { facts, ...order } = request.body as OrderInput & { readonly facts: readonly HistoricalFact[] };
      const answer = await options.commands.backfill(call, order, facts);
      return sendResult(reply, await toResult(answer, call.tenantId, options), 201);
    },
  );
}

function cancelRoute(app: HttpApp, options: OrderCommandRoutesOptions): void {
  app.post(
    '/v1/orders/:orderId/cancel',
    {
      ...markDryRun,
      schema: {
        operationId: 'cancelOrder',
        summary: 'Cancel an order',
        description: 'Refused once dispatch has begun. What was paid is given back.',
        tags: ['orders'],
        headers: commandHeaders,
        params: Type.Object({ orderId: Type.String({ format: 'uuid' }) }),
        querystring: dryRunQuery,
        body: { ...schemaRef<{ readonly reason: string }>('CancelOrder'), examples: [{ reason: 'changed my mind' }] },
        response: {
          200: jsonAnswer(`The cancelled order. ${unshown}`, summaryRef, {
            example: { ...orderExample, status: 'cancelled', cancelReason: 'changed my mind', version: 2 },
            headers: ['etag', 'idempotency-replayed', 'dry-run'],
          }),
          ...problems(...commandCodes, 'ORDER_NOT_FOUND', 'ORDER_ALREADY_SHIPPED'),
        },
      },
    },
    async (request, reply) => {
      const call = callOf(request);
      const orderId = request.params.orderId.toLowerCase() as OrderId;
      const { reason } = request.body;
      const answer = await options.commands.cancel(call, orderId, reason);
      return sendResult(reply, await toResult(answer, call.tenantId, options), 200);
    },
  );
}
