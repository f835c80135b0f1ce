import { OperationalFailure } from '../failures.ts';

export type JsonRequest = {
  readonly url: URL;
  /** Absent: a GET. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** What a peer that speaks our codes says with an answer that is not 2xx; null: nothing that is known. */
  readonly failureOf?: (status: number, text: string) => OperationalFailure | null;
};

/** For a caller without a signal of its own: no wait is without an end. */
const UNSIGNALLED_TIMEOUT_MS = 30_000;

/**
 * Sends one JSON request over the keep-alive pool of Node's fetch and reads the JSON answer. Redirects are not
 * followed: where requests go is configuration, never the peer's choice. Messages name the path without its query.
 * @returns the body of a 2xx answer. A 404 is a refusal, never "not found": a wrong URL must not read as "never charged"
 * @throws OperationalFailure DEPENDENCY_TIMEOUT (the signal ended it) and DEPENDENCY_FAILED (no connection, broken or
 *   unreadable answer, 408, 429, 5xx), both retryable; DEPENDENCY_REFUSED (any other status), not retryable; what `failureOf` makes of it
 */
export async function requestJson(request: JsonRequest): Promise<unknown> {
  const signal = request.signal ?? AbortSignal.timeout(UNSIGNALLED_TIMEOUT_MS);
  const answer = await send(request, signal).catch((cause: unknown) => {
    throw signal.aborted ? timeout(request.url, cause) : failed(request.url, 'no answer', cause);
  });
  const isGood = answer.status >= 200 && answer.status <= 299;
  const told = isGood ? undefined : request.failureOf?.(answer.status, answer.text);
  if (told) throw told;
  if (answer.status >= 500 || answer.status === 408 || answer.status === 429) {
    throw failed(request.url, `status ${answer.status}`);
  }
  if (!isGood) throw refused(request.url, answer.status);
  return parsed(request.url, answer.text);
}

/** The failure of an answer that is not what the protocol says. */
export function unreadableAnswer(url: URL): OperationalFailure {
  return failed(url, 'unreadable answer');
}

async function send({ url, body }: JsonRequest, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const payload =
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, { ...payload, signal, redirect: 'error' });
  return { status: response.status, text: await response.text() };
}

function parsed(url: URL, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message would quote the answer, which may hold what must not be logged.
    throw unreadableAnswer(url);
  }
}

function timeout(url: URL, cause: unknown): OperationalFailure {
  return new OperationalFailure('DEPENDENCY_TIMEOUT', `${place(url)}: no answer in time`, { retryable: true, cause });
}

function failed(url: URL, reason: string, cause?: unknown): OperationalFailure {
  return new OperationalFailure('DEPENDENCY_FAILED', `${place(url)}: ${reason}`, { retryable: true, cause });
}

function refused(url: URL, status: number): OperationalFailure {
  return new OperationalFailure('DEPENDENCY_REFUSED', `${place(url)}: status ${status}`, { retryable: false });
}

function place(url: URL): string {
  return `${url.host}${url.pathname}`;
}
