import { Type } from 'typebox';
import type { HttpApp } from '../../../infra/http-server/app.ts';
import { jsonAnswer, tenantHeader } from '../../../infra/http-server/documented.ts';
import { rejectionParts, sendProblem } from '../../../infra/http-server/problem.ts';
import { problems } from '../../../infra/http-server/problem-schema.ts';
import { readTenant } from '../../../infra/http-server/request-headers.ts';
import { eventExample } from '../../../schemas/order-shapes.ts';
import type { OrderQueries } from '../order-queries.ts';
import { logFilters, readCategories, readTypes } from './log-filters.ts';

const limitDefault = 500;
const limitMax = 5_000;
const mediaType = 'application/x-ndjson';

const query = Type.Object(
  {
    after: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'A checkpoint or position; exclusive.' }),
    ),
    ...logFilters,
    from: Type.Optional(Type.String({ format: 'date-time', description: 'Recorded at or after.' })),
    to: Type.Optional(Type.String({ format: 'date-time', description: 'Recorded before.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, description: `${limitDefault} if absent.` })),
  },
  { additionalProperties: false },
);

/** The log of one tenant, for analysts: a bounded page of lines, and where the next begins. */
export function feedRoute(app: HttpApp, queries: OrderQueries): void {
  app.get(
    '/v1/events',
    {
      schema: {
        operationId: 'readEvents',
        summary: 'The event log, oldest first, one JSON object a line',
        description:
          'Ends at the head. The last line is `{"checkpoint": …}`: give it as `after` next; null on an empty log.',
        tags: ['events'],
        headers: tenantHeader,
        querystring: query,
        response: {
          200: jsonAnswer('Events, then the checkpoint.', Type.String(), {
            mediaType,
            example: `${JSON.stringify(eventExample)}\n{"checkpoint":"3f0c1d2e.812.1"}\n`,
          }),
          ...problems('INVALID_TENANT', 'INVALID_CURSOR', 'STORE_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const { after, category, types, from, to, limit = limitDefault } = request.query;
      const answer = await queries.events({
        tenantId: readTenant(request),
        after,
        categories: readCategories(category),
        types: readTypes(types),
        from,
        to,
        limit,
      });
      if (answer.outcome === 'rejected') {
        return sendProblem(reply, answer.rejection.code, rejectionParts(answer.rejection));
      }
      const lines = answer.events.map((event) => `${JSON.stringify(event)}\n`).join('');
      return reply
        .header('content-type', mediaType)
        .send(`${lines}${JSON.stringify({ checkpoint: answer.checkpoint })}\n`);
    },
  );
}
