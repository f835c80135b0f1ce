import { Type } from 'typebox';
import type { TSchema } from 'typebox';
import type { ErrorCode } from '../../schemas/error-codes.ts';
import { errorCodes, errorRow } from '../../schemas/error-codes.ts';
import type { HttpApp } from './app.ts';
import { problemMediaType, toProblem } from './problem.ts';

const fieldFault = Type.Object(
  {
    pointer: Type.String({ description: 'RFC 6901, into the body; `in` names another place.' }),
    detail: Type.String(),
    in: Type.Optional(Type.Enum(['path', 'query', 'header'])),
  },
  { additionalProperties: false },
);

export const problemSchema = Type.Object(
  {
    type: Type.String({ format: 'uri-reference', description: 'Stable: /docs/errors/<code>.' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.Enum(Object.keys(errorCodes), { description: 'What programs branch on.' }),
    detail: Type.String(),
    instance: Type.Optional(Type.String({ format: 'uri-reference' })),
    traceId: Type.Optional(Type.String({ pattern: '^[0-9a-f]{32}$' })),
    errors: Type.Optional(Type.Array(fieldFault)),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details.' },
);

/** Makes schemas with an `$id` known under it, once; several services of one process may bring the same. */
export function shareSchemas(app: HttpApp, schemas: readonly (TSchema & { readonly $id?: string })[]): void {
  for (const schema of schemas) if (app.getSchema(schema.$id ?? '') === undefined) app.addSchema(schema);
}

/** A schema by its name, typed as what it describes. */
export function schemaRef<T>(name: string) {
  return Type.Unsafe<T>({ $ref: `${name}#` });
}

/** Codes that any route can answer with. */
const everywhere: readonly ErrorCode[] = [
  'INVALID_REQUEST',
  'REQUEST_TIMEOUT',
  'UNSUPPORTED_MEDIA_TYPE',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
];

/**
 * The problem answers of a route, by status, for its `response` schema: each documents its codes with an example.
 * Those that any route can give are added.
 */
export function problems(...codes: readonly ErrorCode[]): Readonly<Record<number, object>> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...codes, ...everywhere])) {
    const { status } = errorRow(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, members]) => [status, problemResponse(members)]));
}

function problemResponse(codes: readonly ErrorCode[]): object {
  const examples = Object.fromEntries(
    codes.map((code) => [code, { summary: errorRow(code).title, value: toProblem(code) }]),
  );
  return {
    description: codes.map((code) => `${code}: ${errorRow(code).title}.`).join(' '),
    content: { [problemMediaType]: { schema: { $ref: 'Problem#' }, examples } },
  };
}
