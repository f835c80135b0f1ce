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

const tenant = {
  'x-tenant-id': { ...text, description: '1 to 64 of A-Z, a-z, 0-9, _ and -; `default` where absent.' },
};

/** Headers are read by request-headers.ts, which names their faults by code; schemas only document them. */
export const tenantHeader = { type: 'object', properties: tenant } as const;

const key = {
  'idempotency-key': {
    ...text,
    description: 'Required. 1 to 255 visible characters of your own; the same in every retry of this command.',
  },
} as const;

export const commandHeaders = {
  type: 'object',
  properties: {
    ...tenant,
    ...key,
    'if-match': { ...text, description: '`"<version>"` as the ETag gave it, or `*`.' },
  },
} as const;

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
