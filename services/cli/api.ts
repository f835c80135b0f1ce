import { setTimeout as wait } from 'node:timers/promises';

import { backoffMs } from '../../infra/resilience/retry.ts';
import { CommandFailure } from './failure.ts';

export type ApiAnswer = {
  readonly status: number;
  /** Parsed JSON; null where there was none. */
  readonly body: unknown;
  /** The answer of an earlier request with the same key. */
  readonly isReplay: boolean;
};

export type ApiRequest = {
  /** With its query, as `/v1/orders?limit=200`. */
  readonly path: string;
  /** Absent: a GET. */
  readonly post?: { readonly key: string; readonly body: unknown };
};

/** The public HTTP API of one tenant. */
export type Api = { readonly url: string; readonly call: (request: ApiRequest) => Promise<ApiAnswer> };

export type ApiOptions = {
  readonly url: string;
  readonly tenantId: string;
  readonly signal: AbortSignal;
  readonly attemptsMax?: number;
};

/** An answer that takes longer counts as lost; the same key tells what became of it. */
const timeoutMs = 30_000;
const backoff = { backoffBaseMs: 100, backoffMaxMs: 5_000 };
const retryableStatuses: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/**
 * Repeats, with the same key, what may be repeated: lost connections, 503 and its like, and a twin in flight.
 * `call` throws CommandFailure when the last attempt failed as well, and the signal's reason once that is aborted.
 */
export function openApi({ url, tenantId, signal, attemptsMax = 10 }: ApiOptions): Api {
  const call = async (request: ApiRequest): Promise<ApiAnswer> => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await send({ url, tenantId, signal, request }).catch((error: unknown) => lost(error, signal));
      if (!('failure' in answer) && !isRetryable(answer)) return answer;
      if (attempt >= attemptsMax) throw new CommandFailure(`${url} ${reasonOf(answer)}`);
      await wait(backoffMs(backoff, attempt, Math.random), undefined, { signal });
    }
  };
  return { url, call };
}

/** What a refusal says: its code and detail. */
export function problemOf({ status, body }: ApiAnswer): string {
  const { code, detail } = asRecord(body);
  return `${status} ${typeof code === 'string' ? code : ''} ${typeof detail === 'string' ? detail : ''}`.trim();
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>) : {};
}

type Sending = Omit<ApiOptions, 'attemptsMax'> & { readonly request: ApiRequest };
type Lost = { readonly failure: string };

async function send({ url, tenantId, signal, request }: Sending): Promise<ApiAnswer> {
  const { path, post } = request;
  const headers = { 'x-tenant-id': tenantId, accept: 'application/json' };
  const payload =
    post === undefined
      ? { headers }
      : {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': post.key },
          body: JSON.stringify(post.body),
        };
  const both = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const response = await fetch(new URL(path, url), { ...payload, signal: both, redirect: 'error' });
  const text = await response.text();
  const isReplay = response.headers.get('idempotency-replayed') === 'true';
  return { status: response.status, body: parsed(text), isReplay };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function lost(error: unknown, signal: AbortSignal): Lost {
  signal.throwIfAborted();
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code } = asRecord(cause);
  const message = cause instanceof Error ? cause.message : 'no answer';
  const reason = typeof code === 'string' ? code : message;
  return { failure: `does not answer (${reason})` };
}

function isRetryable({ status, body }: ApiAnswer): boolean {
  return retryableStatuses.has(status) || (status === 409 && asRecord(body).code === 'IDEMPOTENCY_KEY_IN_PROGRESS');
}

function reasonOf(answer: ApiAnswer | Lost): string {
  return 'failure' in answer ? answer.failure : `answers ${problemOf(answer)}`;
}
