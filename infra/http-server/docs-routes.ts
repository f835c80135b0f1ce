import swaggerUi from '@fastify/swagger-ui';
import { Type } from 'typebox';
import type { HttpApp, HttpReply, HttpRequest } from './app.ts';
import { noQuery } from './documented.ts';
import { codes, errorEntry, errorList, errorPage, isErrorCode } from './error-pages.ts';
import { sendProblem } from './problem.ts';
import { problems } from './problem-schema.ts';

/** All of it comes from this process; React sets styles of elements, hence 'unsafe-inline' for styles alone. */
const apiPolicy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";
/** A page of text with its own style. */
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const entry = Type.Object({
  code: Type.String(),
  type: Type.String({ format: 'uri-reference' }),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  help: Type.String({ description: 'What to do.' }),
  durable: Type.Boolean({ description: "Whether it is its command's answer for ever." }),
  example: Type.Unsafe<object>({ $ref: 'Problem#' }),
});

/** /docs: the API for people to try; /docs/errors: every code, and one page each, where problems' `type` leads. */
export async function docsRoutes(app: HttpApp): Promise<void> {
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: apiPolicy, theme: { title: 'order-center' } });
  listRoute(app);
  pageRoute(app);
}

function listRoute(app: HttpApp): void {
  app.get(
    '/docs/errors',
    {
      schema: {
        operationId: 'listErrors',
        summary: 'Every error code: what it means and what to do',
        tags: ['operations'],
        querystring: noQuery,
        response: {
          200: pageOrJson('The table.', Type.Object({ items: Type.Array(entry) }), {
            items: [errorEntry('NOT_FOUND')],
          }),
          ...problems(),
        },
      },
    },
    (request, reply) =>
      wantsJson(request)
        ? sendJson(reply, { items: codes.map((code) => errorEntry(code)) })
        : sendPage(reply, errorList()),
  );
}

function pageRoute(app: HttpApp): void {
  app.get(
    '/docs/errors/:code',
    {
      schema: {
        operationId: 'getError',
        summary: 'One error code',
        description: 'Where the `type` of a problem leads.',
        tags: ['operations'],
        params: Type.Object({ code: Type.String({ maxLength: 100 }) }),
        querystring: noQuery,
        response: { 200: pageOrJson('What it means.', entry, errorEntry('NOT_FOUND')), ...problems('NOT_FOUND') },
      },
    },
    (request, reply) => {
      const { code } = request.params;
      if (!isErrorCode(code)) return sendProblem(reply, 'NOT_FOUND', { detail: 'See /docs/errors for the codes.' });
      const found = errorEntry(code);
      return wantsJson(request) ? sendJson(reply, found) : sendPage(reply, errorPage(found));
    },
  );
}

/** People get a page; programs ask for JSON by name. */
function wantsJson({ headers }: HttpRequest): boolean {
  const accept = headers.accept ?? '';
  return accept.includes('application/json') && !accept.includes('text/html');
}

function sendPage(reply: HttpReply, html: string): HttpReply {
  return reply
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', pagePolicy)
    .header('vary', 'accept')
    .send(html);
}

function sendJson(reply: HttpReply, value: object): HttpReply {
  return reply.header('content-type', 'application/json').header('vary', 'accept').send(JSON.stringify(value));
}

function pageOrJson(description: string, schema: object, example: object): object {
  const content = {
    'text/html': { schema: { type: 'string' }, example: '<!DOCTYPE html>' },
    'application/json': { schema, example },
  };
  return { description, content };
}
