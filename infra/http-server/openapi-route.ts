import { Type } from 'typebox';
import type { HttpApp } from './app.ts';
import { problems } from './problem-schema.ts';

/** The document describes every route of the process, itself included; it is made once. */
export function openApiRoute(app: HttpApp): void {
  let text: string | null = null;
  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getOpenApi',
        summary: 'This document',
        tags: ['operations'],
        querystring: Type.Object({}, { additionalProperties: false }),
        response: {
          200: {
            description: 'OpenAPI 3.1.',
            content: {
              'application/json': { schema: Type.Unsafe<string>({ type: 'object' }), example: { openapi: '3.1.0' } },
            },
          },
          ...problems(),
        },
      },
    },
    (_request, reply) => {
      const document = (text ??= JSON.stringify(app.swagger()));
      void reply.header('content-type', 'application/json').send(document);
    },
  );
}
