import swagger, { type StaticDocumentSpec } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import type { HttpApp } from './app.ts';
import { documentedHeaders } from './documented.ts';
import { problemSchema, shareSchemas } from './problem-schema.ts';

export type ApiDescription = {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** The whole document, of a door that leads to other processes' routes; made from its own routes if absent. */
  readonly document?: object;
};

/** Collects the routes that follow into one OpenAPI 3.1 document. Await it before the first route. */
export async function describeApi(app: HttpApp, { tags, document, ...info }: ApiDescription): Promise<void> {
  shareSchemas(app, [problemSchema]);
  if (document !== undefined) {
    await app.register(swagger, {
      mode: 'static',
      specification: { document: document as StaticDocumentSpec['document'] },
    });
    return;
  }
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { ...info, license: { name: 'UNLICENSED', url: 'https://spdx.org/licenses/' } },
      servers: [{ url: '/', description: 'This process' }],
      // AUTH=off on loopback is the only mode so far: nobody is asked who they are.
      security: [],
      tags: tags.map((tag) => ({ ...tag })),
    },
    transform: ({ schema, url }) => ({ schema: documented(schema), url }),
    refResolver: { buildLocalReference: (schema) => schema['$id'] as string },
  });
}

/** A route's schema as the document shows it. */
export function documented<Schema extends FastifySchema | undefined>(schema: Schema): Schema {
  const headers = schema?.headers as { readonly properties: object } | undefined;
  return headers === undefined ? schema : { ...schema, headers: documentedHeaders(headers) };
}
