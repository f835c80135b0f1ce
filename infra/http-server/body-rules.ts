import Fastify, { type FastifyServerOptions } from 'fastify';
import type { TSchema } from 'typebox';
import { badTextIn } from './json-bodies.ts';
import type { FieldFault } from './problem.ts';
import { shareSchemas } from './problem-schema.ts';
import { refusalOf } from './validation.ts';
import { valueFormats } from './value-formats.ts';
import type { ErrorCode } from '../../schemas/error-codes.ts';

/** How schemas are read: nothing is coerced, removed or filled in, and every fault is told. */
export const bodyRules: NonNullable<FastifyServerOptions['ajv']> = {
  customOptions: {
    removeAdditional: false,
    coerceTypes: false,
    useDefaults: false,
    allErrors: true,
    discriminator: true,
  },
  // After ajv-formats, whose date-time takes times that no store can hold.
  onCreate: (ajv) => {
    for (const [name, check] of Object.entries(valueFormats)) ajv.addFormat(name, check);
  },
};

export type BodyRefusal = { readonly code: ErrorCode; readonly errors: readonly FieldFault[] };

/** null: all well. */
export type BodyCheck = (schemaId: string, body: unknown) => BodyRefusal | null;

/**
 * What the HTTP door asks of a body that was parsed, for a door that is not HTTP: the same schemas under the same rules,
 * so that no payload is right at one door and wrong at another.
 * @param schemas each with its `$id`, which the check is asked by
 */
export async function openBodyCheck(schemas: readonly (TSchema & { readonly $id?: string })[]): Promise<BodyCheck> {
  const app = Fastify({ logger: false, ajv: bodyRules });
  shareSchemas(app, schemas);
  const validators = new Map<string, ReturnType<typeof compile>>();
  const compile = (schemaId: string) =>
    app.validatorCompiler?.({ schema: { $ref: `${schemaId}#` }, method: 'POST', url: '/', httpPart: 'body' });
  // The compiler is made with the first route.
  app.post('/', { schema: { body: { type: 'object' } } }, () => null);
  await app.ready();
  for (const { $id = '' } of schemas) validators.set($id, compile($id));
  return (schemaId, body) => {
    const validate = validators.get(schemaId);
    if (validate === undefined) throw new Error(`no schema ${schemaId}`);
    const result: unknown = validate(body);
    if (result !== true) return refusalOf((validate as { readonly errors?: never[] | null }).errors ?? [], 'body');
    const badText = badTextIn(body);
    return badText === null ? null : { code: badText.code, errors: badText.errors ?? [] };
  };
}
