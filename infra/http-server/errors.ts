import type { FastifyError, FastifySchemaValidationError } from 'fastify';
import type { Logger } from 'pino';
import type { ErrorCode } from '../../schemas/error-codes.ts';
import { isOperationalFailure } from '../failures.ts';
import { OperationalFailure } from '../failures.ts';
import type { HttpReply } from './app.ts';
import { RequestRefused, sendProblem } from './problem.ts';
import type { ProblemParts } from './problem.ts';
import { refusalOf } from './validation.ts';

/** What fastify itself refuses, in our words. Its own messages may quote the input, so they are never passed on. */
const frameworkCodes: Readonly<Record<string, { readonly code: ErrorCode; readonly detail?: string }>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'MALFORMED_JSON' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'MALFORMED_JSON', detail: 'The body is empty.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'INVALID_REQUEST',
    detail: 'The body has another length than announced.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'UNSUPPORTED_MEDIA_TYPE' },
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'PAYLOAD_TOO_LARGE' },
  FST_ERR_BAD_URL: { code: 'INVALID_REQUEST', detail: 'The path is not well-formed percent-encoding.' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'INVALID_REQUEST', detail: 'A part of the path is too long.' },
};

/**
 * The one error handler: whatever a route threw becomes problem+json. Refusals carry their code, the world's failures
 * their row's status, and everything else is a bug: 500 INTERNAL with the trace id, logged once, without a word of it
 * in the answer.
 */
export function errorHandler(log: Logger): (error: unknown, reply: HttpReply) => void {
  return (error, reply) => {
    const answer = isLeaving(error, reply) ? endedEarly : answerOf(error);
    if (answer.code === 'INTERNAL') {
      log.error({ err: error, traceId: reply.request.id, route: reply.request.routeOptions.url }, 'a request failed');
    } else if (error instanceof OperationalFailure) {
      log.warn(
        { err: error, traceId: reply.request.id, route: reply.request.routeOptions.url },
        'a request was refused',
      );
    }
    sendProblem(reply, answer.code, answer.parts);
  };
}

/** The caller went away while it sent its body: that is no failure of ours. */
function isLeaving(error: unknown, { request: { raw } }: HttpReply): boolean {
  return !raw.complete && raw.destroyed && (error as NodeJS.ErrnoException | null)?.code === 'ECONNRESET';
}

const endedEarly: Answer = { code: 'INVALID_REQUEST', parts: { detail: 'The body ended early.' } };

type Answer = { readonly code: ErrorCode; readonly parts: Pick<ProblemParts, 'detail' | 'errors'> };

function answerOf(error: unknown): Answer {
  if (error instanceof RequestRefused) {
    return { code: error.code, parts: { detail: error.detail, ...(error.errors && { errors: error.errors }) } };
  }
  if (isOperationalFailure(error)) return { code: error.code, parts: {} };
  if (!(error instanceof Error)) return { code: 'INTERNAL', parts: {} };
  const { validation, validationContext, code } = error as Partial<FastifyError> & {
    readonly validation?: readonly FastifySchemaValidationError[];
  };
  if (validation !== undefined) {
    const { code: refusal, errors } = refusalOf(validation, validationContext ?? 'body');
    return { code: refusal, parts: { errors } };
  }
  const known = code === undefined ? undefined : frameworkCodes[code];
  // secure-json-parse throws plain SyntaxErrors with a status: unreadable JSON, or a key that would poison a prototype.
  if (known === undefined && error instanceof SyntaxError && 'statusCode' in error) {
    return { code: 'MALFORMED_JSON', parts: {} };
  }
  return known === undefined
    ? { code: 'INTERNAL', parts: {} }
    : { code: known.code, parts: known.detail === undefined ? {} : { detail: known.detail } };
}
