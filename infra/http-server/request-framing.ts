import type { IncomingMessage } from 'node:http';
import type { HttpApp } from './app.ts';
import { answerRefused } from './client-errors.ts';
import { RequestRefused } from './problem.ts';

/**
 * What Node's parser lets through and RFC 9112 does not, or what it would answer without a problem: a request has one
 * Host, a version, a body without codings, and text that can be searched for. Call it before the first route.
 */
export function checkFraming(app: HttpApp): void {
  app.addHook('onRequest', (request, reply, done) => {
    const fault = framingFault(request.raw);
    // Nobody knows where a body ends whose coding nobody knows.
    if (fault?.code === 'UNSUPPORTED_MEDIA_TYPE') void reply.header('connection', 'close');
    done(fault ?? undefined);
  });
  // Node would close the connection without a word: nobody is forwarded from here.
  app.server.on('connect', (_request, socket) => answerRefused(socket, 'METHOD_NOT_ALLOWED'));
  // An expectation that nobody knows may be passed over (RFC 9110, 10.1.1); Node's 417 would have no body.
  app.server.on('checkExpectation', (request, response) => void app.server.emit('request', request, response));
}

function framingFault({ headers, rawHeaders, httpVersion, url = '' }: IncomingMessage): RequestRefused | null {
  if (isCoded(headers['content-encoding'], 'identity') || isCoded(headers['transfer-encoding'], 'chunked')) {
    return new RequestRefused('UNSUPPORTED_MEDIA_TYPE', 'Send the body without Content-Encoding.');
  }
  if (httpVersion.startsWith('0')) {
    return new RequestRefused('INVALID_REQUEST', 'Name the version of HTTP, 1.1 at best.');
  }
  const hosts = countHosts(rawHeaders);
  // Two readers of one request must not see two hosts (RFC 9112, 3.2).
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0')) {
    return new RequestRefused('INVALID_REQUEST', 'Send the Host header, once.');
  }
  return hasNulInQuery(url) ? new RequestRefused('INVALID_REQUEST', 'The query holds NUL.') : null;
}

/** Routes that search by a text would ask their store for it, and Postgres has no place for NUL. */
function hasNulInQuery(url: string): boolean {
  const query = url.indexOf('?');
  return query !== -1 && url.includes('%00', query);
}

function isCoded(given: string | undefined, plain: string): boolean {
  return given !== undefined && given.toLowerCase() !== plain;
}

/** `headers` keeps the first one and drops the others. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}
