import { Type } from 'typebox';
import { asyncApiDocument } from '../../schemas/asyncapi/document.ts';
import { topicList } from '../topics/topic-list.ts';
import type { HttpApp } from './app.ts';
import { problems } from './problem-schema.ts';

/** What is said on Kafka, for whoever reads or writes there; the same in every process, and made once. */
export function asyncApiRoute(app: HttpApp): void {
  let text: string | null = null;
  app.get(
    '/asyncapi.json',
    {
      schema: {
        operationId: 'getAsyncApi',
        summary: 'What is said on Kafka: topics, keys, headers and Avro schemas',
        tags: ['operations'],
        querystring: Type.Object({}, { additionalProperties: false }),
        response: {
          200: {
            description: 'AsyncAPI 3.0.',
            content: {
              'application/json': { schema: Type.Unsafe<string>({ type: 'object' }), example: { asyncapi: '3.0.0' } },
            },
          },
          ...problems(),
        },
      },
    },
    (_request, reply) => {
      const document = (text ??= JSON.stringify(asyncApiDocument(topicList)));
      void reply.header('content-type', 'application/json').send(document);
    },
  );
}
