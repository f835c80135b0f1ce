import { Type } from 'typebox';
import type { HttpApp } from '../../../infra/http-server/app.ts';
import { commandCodes, commandHeaders, jsonAnswer } from '../../../infra/http-server/documented.ts';
import { dryRunQuery, markDryRun } from '../../../infra/http-server/dry-run.ts';
import { problems, schemaRef } from '../../../infra/http-server/problem-schema.ts';
import type { AmendmentInput } from '../../../schemas/commands.ts';
import type { OrderId } from '../../../schemas/ids.ts';
import { orderExample } from '../../../schemas/order-shapes.ts';
import { callOf } from './command-call.ts';
import { amendmentExample } from './order-schemas.ts';
import type { OrderCommandRoutesOptions } from './routes-options.ts';
import { sendResult, toResult, unshown } from './send-order.ts';

export function amendRoute(app: HttpApp, options: OrderCommandRoutesOptions): void {
  app.post(
    '/v1/orders/:orderId/amend',
    {
      ...markDryRun,
      schema: {
        operationId: 'amendOrder',
        summary: 'Change lines, charges or the address of an order before its payment begins',
        description:
          'What is not named stays; totals are summed anew. Allowed while every payment is one that is paid later (`bank_slip`) and none has begun: cards and vouchers are authorized with the placement. Stock that is held follows the new lines; where there is too little, the order is cancelled (`out_of_stock`). A slip that was paid at an earlier amount is recorded as it was paid.',
        tags: ['orders'],
        headers: commandHeaders,
        params: Type.Object({ orderId: Type.String({ format: 'uuid' }) }),
        querystring: dryRunQuery,
        body: { ...schemaRef<AmendmentInput>('AmendOrder'), examples: [amendmentExample] },
        response: {
          200: jsonAnswer(`The order as it is from now on. ${unshown}`, schemaRef<string>('OrderSummary'), {
            example: { ...orderExample, version: 2 },
            headers: ['etag', 'idempotency-replayed', 'dry-run'],
          }),
          ...problems(
            ...commandCodes,
            'ORDER_NOT_FOUND',
            'ORDER_CANCELLED',
            'ORDER_ALREADY_SHIPPED',
            'ORDER_PAID',
            'ORDER_PAYMENT_BEGUN',
            'TOTAL_MISMATCH',
          ),
        },
      },
    },
    async (request, reply) => {
      const call = callOf(request);
      const orderId = request.params.orderId.toLowerCase() as OrderId;
      const answer = await options.commands.amend(call, orderId, request.body);
      return sendResult(reply, await toResult(answer, call.tenantId, options), 200);
    },
  );
}
