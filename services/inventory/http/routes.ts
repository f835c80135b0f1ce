import { Type } from 'typebox';
import type { HttpApp, HttpReply, HttpRequest, Routes } from '../../../infra/http-server/app.ts';
import { dryRunQuery, isDryRun, markDryRun } from '../../../infra/http-server/dry-run.ts';
import {
  commandCodes,
  commandHeaders,
  jsonAnswer,
  noQuery,
  tenantHeader,
} from '../../../infra/http-server/documented.ts';
import { rejectionParts, sendProblem } from '../../../infra/http-server/problem.ts';
import { problems, schemaRef, shareSchemas } from '../../../infra/http-server/problem-schema.ts';
import { readIdempotencyKey, readIfMatch, readTenant } from '../../../infra/http-server/request-headers.ts';
import type { Inventory, StockAnswer, StockRequest } from '../open.ts';
import { availableOf, isTracked, type StockState } from '../stock.ts';

const units = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const stockShape = Type.Object(
  { sku: Type.String(), onHand: units, reserved: units, available: units, version: Type.Integer({ minimum: 1 }) },
  { $id: 'Stock', description: 'Units of one SKU; available = onHand − reserved.' },
);
const stockExample = { sku: 'mug-blue', onHand: 100, reserved: 2, available: 98, version: 3 };

const params = Type.Object({
  sku: Type.String({ pattern: '^[\\x21-\\x7e]{1,128}$', description: 'Percent-encoded.' }),
});

const changed = jsonAnswer('The stock after it.', schemaRef<string>('Stock'), {
  example: stockExample,
  headers: ['etag', 'idempotency-replayed', 'dry-run'],
});

/** POST /v1/stock/{sku}/receipts and /adjustments, GET /v1/stock/{sku}. */
export function stockRoutes(inventory: Inventory): Routes {
  return (app) => {
    shareSchemas(app, [stockShape]);
    receiptRoute(app, inventory);
    adjustmentRoute(app, inventory);
    getRoute(app, inventory);
  };
}

function receiptRoute(app: HttpApp, inventory: Inventory): void {
  app.post(
    '/v1/stock/:sku/receipts',
    {
      ...markDryRun,
      schema: {
        operationId: 'receiveStock',
        summary: 'Units arrived',
        description: 'From its first receipt on a SKU is tracked: orders reserve it, and it can sell out.',
        tags: ['stock'],
        headers: commandHeaders,
        params,
        querystring: dryRunQuery,
        body: Type.Object(
          { quantity: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
          { additionalProperties: false, examples: [{ quantity: 100 }] },
        ),
        response: { 201: changed, ...problems(...commandCodes) },
      },
    },
    async (request, reply) => {
      const { sku } = request.params;
      const command = { type: 'ReceiveStock', sku, quantity: request.body.quantity } as const;
      return sendChange(reply, sku, await inventory.change(stockRequestOf(request), command));
    },
  );
}

function adjustmentRoute(app: HttpApp, inventory: Inventory): void {
  app.post(
    '/v1/stock/:sku/adjustments',
    {
      ...markDryRun,
      schema: {
        operationId: 'adjustStock',
        summary: 'Correct a count',
        description: 'Refused where fewer would remain than are reserved.',
        tags: ['stock'],
        headers: commandHeaders,
        params,
        querystring: dryRunQuery,
        body: Type.Object(
          {
            delta: Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
            reason: Type.String({ minLength: 1, maxLength: 200 }),
          },
          { additionalProperties: false, examples: [{ delta: -2, reason: 'broken' }] },
        ),
        response: { 201: changed, ...problems(...commandCodes, 'STOCK_RESERVED', 'SKU_NOT_TRACKED') },
      },
    },
    async (request, reply) => {
      const { sku } = request.params;
      const { delta, reason } = request.body;
      const command = { type: 'AdjustStock', sku, delta, reason } as const;
      return sendChange(reply, sku, await inventory.change(stockRequestOf(request), command));
    },
  );
}

function getRoute(app: HttpApp, inventory: Inventory): void {
  app.get(
    '/v1/stock/:sku',
    {
      schema: {
        operationId: 'getStock',
        summary: 'The stock of one SKU',
        tags: ['stock'],
        headers: tenantHeader,
        params,
        querystring: noQuery,
        response: {
          200: jsonAnswer('Units now.', schemaRef<string>('Stock'), { example: stockExample, headers: ['etag'] }),
          ...problems('INVALID_TENANT', 'SKU_NOT_TRACKED', 'STORE_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const { sku } = request.params;
      const { state, version } = await inventory.get(readTenant(request), sku);
      return sendStock(reply, { sku, state, version });
    },
  );
}

function stockRequestOf(request: HttpRequest): StockRequest {
  return {
    tenantId: readTenant(request),
    commandId: readIdempotencyKey(request),
    correlationId: request.id,
    expectedVersion: readIfMatch(request),
    dryRun: isDryRun(request),
  };
}

function sendChange(reply: HttpReply, sku: string, answer: StockAnswer): HttpReply {
  switch (answer.outcome) {
    case 'accepted':
      if (answer.replayed) void reply.header('idempotency-replayed', 'true');
      return sendStock(reply.code(201), { sku, state: answer.state, version: answer.version });
    case 'rejected':
      if (answer.replayed) void reply.header('idempotency-replayed', 'true');
      return sendProblem(reply, answer.rejection.code, rejectionParts(answer.rejection));
    case 'version-mismatch':
      return sendProblem(reply, 'VERSION_MISMATCH', { detail: `The stock is at version ${answer.version}.` });
    case 'key-reused':
      return sendProblem(reply, 'IDEMPOTENCY_KEY_REUSED');
    case 'in-progress':
      return sendProblem(reply, 'IDEMPOTENCY_KEY_IN_PROGRESS');
  }
}

type Stock = { readonly sku: string; readonly state: StockState; readonly version: number };

function sendStock(reply: HttpReply, { sku, state, version }: Stock): HttpReply {
  if (!isTracked(state)) return sendProblem(reply, 'SKU_NOT_TRACKED');
  const { onHand, reserved } = state;
  return reply
    .header('etag', `"${version}"`)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ sku, onHand, reserved, available: availableOf(state), version }));
}
