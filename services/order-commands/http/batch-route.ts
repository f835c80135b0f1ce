import { Type } from 'typebox';
import type { FieldFault } from '../../../infra/http-server/problem.ts';
import type { HttpApp, HttpRequest } from '../../../infra/http-server/app.ts';
import { jsonAnswer, tenantHeader } from '../../../infra/http-server/documented.ts';
import { dryRunQuery, isDryRun, markDryRun } from '../../../infra/http-server/dry-run.ts';
import { documented } from '../../../infra/http-server/openapi.ts';
import { badTextIn } from '../../../infra/http-server/json-bodies.ts';
import { problems, schemaRef } from '../../../infra/http-server/problem-schema.ts';
import { readTenant } from '../../../infra/http-server/request-headers.ts';
import { refusalOf } from '../../../infra/http-server/validation.ts';
import { isOperationalFailure } from '../../../infra/failures.ts';
import type { OrderInput } from '../../../schemas/commands.ts';
import type { ErrorCode } from '../../../schemas/error-codes.ts';
import type { CommandId, TenantId } from '../../../schemas/ids.ts';
import { orderExample } from '../../../schemas/order-shapes.ts';
import { afterEachOther } from './dry-batch.ts';
import { placeOrderExample } from './order-schemas.ts';
import type { OrderCommandRoutesOptions } from './routes-options.ts';
import { batchItem, toResult } from './send-order.ts';
import type { OrderResult } from './send-order.ts';

const batchMaxBytes = 8 * 1024 * 1024;
const ordersMax = 500;

type Item = { readonly commandId: CommandId; readonly order: OrderInput; readonly pointer: string };

/** What must be right for the batch as a whole; the orders in it are checked one by one. */
type Batch = { readonly orders: readonly (OrderInput & { readonly commandId: CommandId })[] };

const envelope = Type.Unsafe<Batch>(
  Type.Object(
    {
      orders: Type.Array(Type.Object({ commandId: Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' }) }), {
        minItems: 1,
        maxItems: ordersMax,
      }),
    },
    { additionalProperties: false },
  ),
);

const documentedBody = {
  type: 'object',
  required: ['orders'],
  additionalProperties: false,
  properties: { orders: { type: 'array', minItems: 1, maxItems: ordersMax, items: { $ref: 'BatchItem#' } } },
  examples: [{ orders: [{ commandId: 'order-1001', ...placeOrderExample }] }],
};

const answers = Type.Object({
  items: Type.Array(
    Type.Object({
      commandId: Type.String(),
      replayed: Type.Optional(Type.Literal(true)),
      status: Type.Integer({ minimum: 200, maximum: 599 }),
      order: Type.Optional(schemaRef('OrderSummary')),
      problem: Type.Optional(schemaRef('Problem')),
    }),
  ),
});

const documentedAnswer = jsonAnswer('One answer an order.', answers, {
  headers: ['dry-run'],
  example: { items: [{ commandId: 'order-1001', status: 201, order: orderExample }] },
});

/** Each order is a command of its own: one that is refused holds none of the others back. */
export function batchRoute(app: HttpApp, options: OrderCommandRoutesOptions): void {
  app.post(
    '/v1/orders/batch',
    {
      ...markDryRun,
      bodyLimit: batchMaxBytes,
      config: {
        textCheckedByItem: true,
        swaggerTransform: ({ schema, url }) => ({ schema: { ...documented(schema), body: documentedBody }, url }),
      },
      schema: {
        operationId: 'placeOrders',
        summary: 'Place up to 500 orders',
        description: 'Each item has a command id of its own and its own answer, in the order of the request.',
        tags: ['orders'],
        headers: tenantHeader,
        querystring: dryRunQuery,
        body: envelope,
        response: {
          207: documentedAnswer,
          ...problems(
            'MALFORMED_JSON',
            'INVALID_VALUE',
            'INVALID_TENANT',
            'PAYLOAD_TOO_LARGE',
            'UNSUPPORTED_MEDIA_TYPE',
          ),
        },
      },
    },
    async (request, reply) => {
      const { orders } = request.body;
      const place = placer(request, readTenant(request), options);
      const placed = await Promise.all(
        orders.map(async ({ commandId, ...order }, index) => ({
          ...{ commandId, order },
          result: await place({ commandId, order, pointer: `/orders/${index}` }),
        })),
      );
      const answered = isDryRun(request) ? afterEachOther(placed) : placed;
      const items = answered.map(({ commandId, result }) => batchItem(commandId, result));
      return reply
        .code(207)
        .header('content-type', 'application/json; charset=utf-8')
        .send(`{"items":[${items.join(',')}]}`);
    },
  );
}

function placer(request: HttpRequest, tenantId: TenantId, options: OrderCommandRoutesOptions) {
  const validate = request.compileValidationSchema({ $ref: 'PlaceOrder#' });
  return async ({ commandId, order, pointer }: Item): Promise<OrderResult> => {
    if (!validate(order)) {
      const { code, errors } = refusalOf(validate.errors ?? [], 'body');
      return refused(
        code,
        errors.map((fault) => ({ ...fault, pointer: `${pointer}${fault.pointer}` })),
      );
    }
    const badText = badTextIn(order, pointer);
    if (badText !== null) return refused(badText.code, badText.errors ?? []);
    try {
      const call = { tenantId, commandId, correlationId: request.id, dryRun: isDryRun(request) };
      const answer = await options.commands.place(call, order);
      return await toResult(answer, tenantId, options);
    } catch (error) {
      // The items before and after have their own answers, which must not be lost with this one's.
      if (isOperationalFailure(error)) return { kind: 'problem', code: error.code, parts: {}, replayed: false };
      throw error;
    }
  };
}

function refused(code: ErrorCode, errors: readonly FieldFault[]): OrderResult {
  return { kind: 'problem', code, parts: { errors }, replayed: false };
}
