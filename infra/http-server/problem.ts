import type { ErrorCode } from '../../schemas/error-codes.ts';
import { errorRow } from '../../schemas/error-codes.ts';
import type { Rejection } from '../../schemas/decision.ts';
import type { HttpReply } from './app.ts';

/** One fault of one field. `in` is absent for the body; elsewhere the pointer's first member is the parameter's name. */
export type FieldFault = {
  /** RFC 6901. */
  readonly pointer: string;
  readonly detail: string;
  readonly in?: 'path' | 'query' | 'header';
};

/** RFC 9457, as every door's refusal looks on HTTP. Never holds a value that the caller sent. */
export type Problem = {
  /** Stable: `/docs/errors/<CODE>`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly instance?: string;
  readonly traceId?: string;
  readonly errors?: readonly FieldFault[];
};

export type ProblemParts = {
  readonly detail?: string;
  readonly errors?: readonly FieldFault[];
  readonly instance?: string;
  readonly traceId?: string;
};

export const problemMediaType = 'application/problem+json';

/** How long a caller waits before a retry, in seconds: queues here empty within a moment. */
export const retryAfterSeconds = 1;

export function toProblem(code: ErrorCode, parts: ProblemParts = {}): Problem {
  const row = errorRow(code);
  return {
    type: `/docs/errors/${code}`,
    title: row.title,
    status: row.status,
    code,
    detail: parts.detail ?? row.help,
    ...(parts.instance === undefined ? {} : { instance: parts.instance }),
    ...(parts.traceId === undefined ? {} : { traceId: parts.traceId }),
    ...(parts.errors === undefined ? {} : { errors: parts.errors }),
  };
}

/** Answers a request with a problem; 503 and NOT_YET_VISIBLE tell when to come back. */
export function sendProblem(reply: HttpReply, code: ErrorCode, parts: Omit<ProblemParts, 'instance' | 'traceId'> = {}) {
  const problem = toProblem(code, { ...parts, instance: instanceOf(reply.request.url), traceId: reply.request.id });
  if (problem.status === 503 || code === 'NOT_YET_VISIBLE') void reply.header('retry-after', retryAfterSeconds);
  return (
    reply
      .code(problem.status)
      .header('content-type', problemMediaType)
      .header('cache-control', 'no-store')
      // Bytes: fastify would add a charset to text, and this media type has none.
      .send(Buffer.from(JSON.stringify(problem)))
  );
}

/** A business answer as a problem: deciders begin the detail of an INVALID_VALUE with the pointer of the field. */
export function rejectionParts({ code, detail }: Rejection, at = ''): Pick<ProblemParts, 'detail' | 'errors'> {
  const found = code === 'INVALID_VALUE' ? /^(\/[^:\s]*): (.*)$/s.exec(detail) : null;
  return found === null ? { detail } : { errors: [{ pointer: `${at}${found[1] ?? ''}`, detail: found[2] ?? '' }] };
}

/** Thrown where a request is refused before a service sees it: malformed headers, ids and cursors. */
export class RequestRefused extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors: readonly FieldFault[] | undefined;

  constructor(code: ErrorCode, detail: string, errors?: readonly FieldFault[]) {
    super(`${code}: ${detail}`);
    this.name = 'RequestRefused';
    this.code = code;
    this.detail = detail;
    this.errors = errors;
  }
}

/** The path without its query, which may hold what must not be echoed. */
function instanceOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
