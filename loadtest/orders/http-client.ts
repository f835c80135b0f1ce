import { Agent, request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';

export type HttpRequest = {
  /** With its query, as `/v1/orders?limit=200`. */
  readonly path: string;
  /** Absent: a GET. */
  readonly post?: { readonly key: string; readonly body: unknown };
};

export type HttpAnswer = {
  readonly status: number;
  readonly text: string;
  /** The answer of an earlier request with the same key. */
  readonly isReplay: boolean;
};

/** `wasSent`: the request may have been carried out. `code` is Node's, as ECONNRESET, or TIMEOUT. */
export type NoAnswer = { readonly noAnswer: string; readonly wasSent: boolean };

export type HttpClient = {
  /** Never rejects: a server that dies is what is looked for. */
  readonly send: (request: HttpRequest) => Promise<HttpAnswer | NoAnswer>;
  readonly close: () => void;
};

export type HttpClientOptions = { readonly url: string; readonly tenantId: string; readonly socketsMax: number };

/** Longer than any answer that the contract allows; a fault run would otherwise wait for a stopped server. */
const answerWithinMs = 15_000;

/** Keeps sockets alive, as a checkout does: what a dying server does to those is part of what is measured. */
export function openHttpClient({ url, tenantId, socketsMax }: HttpClientOptions): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: socketsMax });
  return {
    send: ({ path, post }) =>
      new Promise((resolve) => {
        const payload = post === undefined ? '' : JSON.stringify(post.body);
        const outgoing = request(new URL(path, url), {
          agent,
          method: post === undefined ? 'GET' : 'POST',
          headers: headersOf(tenantId, post?.key, payload),
          signal: AbortSignal.timeout(answerWithinMs),
        });
        settleBy(outgoing, resolve);
        outgoing.end(payload);
      }),
    close: () => agent.destroy(),
  };
}

/** The parsed JSON of an answer, or an empty record where it is none. */
export function jsonOf({ text }: HttpAnswer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

function headersOf(tenantId: string, key: string | undefined, payload: string): Record<string, string> {
  const common = { accept: 'application/json', 'x-tenant-id': tenantId };
  if (key === undefined) return common;
  const length = String(Buffer.byteLength(payload));
  return { ...common, 'content-type': 'application/json', 'content-length': length, 'idempotency-key': key };
}

function settleBy(outgoing: ClientRequest, resolve: (outcome: HttpAnswer | NoAnswer) => void): void {
  const failed = (error: NodeJS.ErrnoException): void => resolve(noAnswer(error));
  outgoing.once('error', failed);
  outgoing.once('response', (incoming: IncomingMessage) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('error', failed);
    incoming.once('end', () =>
      resolve({
        status: incoming.statusCode ?? 0,
        text: Buffer.concat(chunks).toString('utf8'),
        isReplay: incoming.headers['idempotency-replayed'] === 'true',
      }),
    );
  });
}

function noAnswer(error: NodeJS.ErrnoException): NoAnswer {
  const code = error.code === 'ABORT_ERR' || error.name === 'TimeoutError' ? 'TIMEOUT' : (error.code ?? error.name);
  return { noAnswer: code, wasSent: error.syscall !== 'connect' };
}
