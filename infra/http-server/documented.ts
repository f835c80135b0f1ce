import type { ErrorCode } from '../../schemas/error-codes.ts';

/** One answer of a route for its OpenAPI document: JSON that is sent as ready text. */
export function jsonAnswer(description: string, schema: object, options: AnswerOptions = {}): JsonAnswer {
  const { example, headers = [], mediaType = 'application/json' } = options;
  return {
    description,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers.map((name) => [name, headerDocs[name]])) }),
    content: { [mediaType]: { schema, ...(example === undefined ? {} : { example }) } },
  };
}

export type AnswerHeader = keyof typeof headerDocs;
export type AnswerOptions = {
  readonly example?: unknown;
  readonly headers?: readonly AnswerHeader[];
  readonly mediaType?: string;
};
export type JsonAnswer = { readonly description: string; readonly content: object };

/** A query that takes no parameter: an unknown one is refused, because a misspelt wish must not be ignored. */
export const noQuery = { type: 'object', properties: {}, additionalProperties: false } as const;

const text = { type: 'string' } as const;

const headerDocs = {
  location: { ...text, description: 'Where the order is read.' },
  etag: { ...text, description: 'The version, quoted: for If-Match and minVersion.' },
  'idempotency-replayed': { ...text, description: '`true`: this is the first answer to this key, again.' },
  'dry-run': { ...text, description: '`true`: nothing was stored; this is what the command would be answered with.' },
} as const;

/**
 * Headers are read by request-headers.ts, which names their faults by code: what is stricter here than "text" is for
 * the document alone (openapi.ts), and not checked a second time.
 */
const requestHeaderDocs = {
  'x-tenant-id': {
    ...text,
    pattern: '^[A-Za-z0-9_-]{1,64}$',
    description: '1 to 64 of A-Z, a-z, 0-9, _ and -; `default` where absent.',
  },
  'idempotency-key': {
    ...text,
    pattern: '^[\\x21-\\x7e]{1,255}$',
    description: '1 to 255 visible characters of your own; the same in every retry of this command.',
  },
  'if-match': {
    ...text,
    pattern: '^(\\*|"[0-9]{1,15}")$',
    description: '`"<version>"` as the ETag gave it, or `*`.',
  },
} as const;

type RequestHeader = keyof typeof requestHeaderDocs;

const takes = (...names: readonly RequestHeader[]) =>
  ({ type: 'object', properties: Object.fromEntries(names.map((name) => [name, text])) }) as const;

export const tenantHeader = takes('x-tenant-id');
export const commandHeaders = takes('x-tenant-id', 'idempotency-key', 'if-match');

/** What the document says of a route's headers. */
export function documentedHeaders({ properties }: { readonly properties: object }): object {
  const known = Object.entries(requestHeaderDocs).filter(([name]) => name in properties);
  const required = known.flatMap(([name]) => (name === 'idempotency-key' ? [name] : []));
  return { type: 'object', required, properties: { ...properties, ...Object.fromEntries(known) } };
}

/** Answers that any command can get. */
export const commandCodes: readonly ErrorCode[] = [
  'MALFORMED_JSON',
  'INVALID_VALUE',
  'INVALID_TENANT',
  'INVALID_IF_MATCH',
  'IDEMPOTENCY_KEY_REQUIRED',
  'IDEMPOTENCY_KEY_INVALID',
  'IDEMPOTENCY_KEY_REUSED',
  'IDEMPOTENCY_KEY_IN_PROGRESS',
  'VERSION_MISMATCH',
  'PAYLOAD_TOO_LARGE',
  'EVENT_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'STORE_UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'OVERLOADED',
  'CONFLICT_RETRIES_EXHAUSTED',
];
