import { Type } from 'typebox';
import type { HttpApp, HttpReply, HttpRequest } from '../../../infra/http-server/app.ts';
import { jsonAnswer, tenantHeader } from '../../../infra/http-server/documented.ts';
import { rejectionParts, sendProblem } from '../../../infra/http-server/problem.ts';
import { problems } from '../../../infra/http-server/problem-schema.ts';
import { readTenant } from '../../../infra/http-server/request-headers.ts';
import type { OrderId } from '../../../schemas/ids.ts';
import { eventExample } from '../../../schemas/order-shapes.ts';
import type { LiveUpdates } from '../live/live-updates.ts';
import type { Subject } from '../live/source.ts';
import { leaving } from './leaving.ts';
import { logFilters, readCategories, readTypes } from './log-filters.ts';

const mediaType = 'text/event-stream';

const after = Type.Optional(
  Type.String({ minLength: 1, maxLength: 100, description: 'As Last-Event-ID, which wins, for clients without it.' }),
);

const headers = {
  type: 'object',
  properties: {
    ...tenantHeader.properties,
    'last-event-id': { type: 'string', description: 'The id of the last event that came: the next one follows it.' },
  },
} as const;

const response = {
  200: jsonAnswer('Messages `id`, `event`, `data`, until one side leaves.', Type.String(), {
    mediaType,
    example: `id: ${eventExample.position}\nevent: ${eventExample.type}\ndata: ${JSON.stringify(eventExample)}\n\n`,
  }),
};

const resuming =
  'Server-sent events: `id` is the position, `event` the type, `data` the event as in /v1/orders/{id}/events. After a cut, Last-Event-ID goes on without gap or duplicate. Comments come while nothing happens; a client that does not read is cut off.';

/** Live updates: one order's, and all of a tenant. Closing the app ends them all, so that draining is quick. */
export function streamRoutes(app: HttpApp, live: LiveUpdates): void {
  app.addHook('preClose', (done) => {
    live.close();
    done();
  });
  orderStreamRoute(app, live);
  tenantStreamRoute(app, live);
}

function orderStreamRoute(app: HttpApp, live: LiveUpdates): void {
  app.get(
    '/v1/orders/:orderId/stream',
    {
      schema: {
        operationId: 'streamOrder',
        summary: 'What happens to one order, from its placement on, live',
        description: resuming,
        tags: ['orders', 'events'],
        headers,
        params: Type.Object({ orderId: Type.String({ format: 'uuid' }) }),
        querystring: Type.Object({ after }, { additionalProperties: false }),
        response: {
          ...response,
          ...problems('INVALID_TENANT', 'INVALID_CURSOR', 'ORDER_NOT_FOUND', 'STORE_UNAVAILABLE', 'OVERLOADED', 'SHUTTING_DOWN'), // prettier-ignore
        },
      },
    },
    (request, reply) => {
      const orderId = request.params.orderId.toLowerCase() as OrderId;
      const subject: Subject = { kind: 'order', tenantId: readTenant(request), orderId };
      return stream(live, reply, { subject, after: lastEventId(request) ?? request.query.after });
    },
  );
}

function tenantStreamRoute(app: HttpApp, live: LiveUpdates): void {
  app.get(
    '/v1/stream',
    {
      schema: {
        operationId: 'streamEvents',
        summary: 'What happens from now on, live',
        description: resuming,
        tags: ['events'],
        headers,
        querystring: Type.Object({ after, ...logFilters }, { additionalProperties: false }),
        response: {
          ...response,
          ...problems('INVALID_TENANT', 'INVALID_CURSOR', 'STORE_UNAVAILABLE', 'OVERLOADED', 'SHUTTING_DOWN'),
        },
      },
    },
    (request, reply) => {
      const { category, types } = request.query;
      const subject: Subject = {
        kind: 'tenant',
        tenantId: readTenant(request),
        categories: readCategories(category) ?? ['order', 'stock'],
        types: readTypes(types),
      };
      return stream(live, reply, { subject, after: lastEventId(request) ?? request.query.after });
    },
  );
}

type Asked = { readonly subject: Subject; readonly after: string | undefined };

async function stream(live: LiveUpdates, reply: HttpReply, asked: Asked): Promise<HttpReply> {
  const answer = await live.open({ ...asked, gone: leaving(reply), cut: () => reply.raw.destroy() });
  if (answer.outcome === 'rejected') {
    return sendProblem(reply, answer.rejection.code, rejectionParts(answer.rejection));
  }
  return (
    reply
      .header('content-type', mediaType)
      .header('cache-control', 'no-store')
      // The connection carries nothing after the stream: where it ends, draining need not wait for it.
      .header('connection', 'close')
      // Proxies of the nginx kind would collect events to pages.
      .header('x-accel-buffering', 'no')
      .send(answer.stream)
  );
}

/** A browser that saw no id yet sends none, or an empty one. */
function lastEventId({ headers: given }: HttpRequest): string | undefined {
  const id = given['last-event-id'];
  return id === undefined || id === '' ? undefined : String(id);
}
