import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { preHandlerHookHandler } from 'fastify';
import httpProxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy';

import type { HttpApp, HttpReply, HttpRequest, Routes } from '../../infra/http-server/app.ts';
import { sendProblem } from '../../infra/http-server/problem.ts';
import { proxiedMethods, roleOf } from './routing.ts';
import type { Upstreams } from './upstreams.ts';

const connectMaxMs = 1_000;
/** Longer than the roles themselves take: they answer a batch of 500, or say that their store does not answer, before. */
const headMaxMs = 60_000;
/** Live streams send a comment each 15 s where nothing happens, and a read feed has no such pause. */
const silenceMaxMs = 60_000;
const connectionsMax = 256;

/**
 * Leads /v1 to the role that answers it, both ways as it comes: nothing is parsed, collected or sent twice. A request
 * that got no answer is not repeated, since only its sender knows whether it may be.
 */
export function proxyRoutes(upstreams: Upstreams): Routes {
  return (app) => {
    void app.register(async (inner) => {
      // Bodies are the roles' to read, in whatever form they come.
      inner.removeAllContentTypeParsers();
      // The document is of the roles' routes.
      inner.addHook('onRoute', (route) => void (route.schema = { ...route.schema, hide: true }));
      inner.addHook('preHandler', refuseDotSegments);
      await inner.register(httpProxy, {
        // Chosen for each request.
        upstream: '',
        routes: ['/v1', '/v1/*'],
        httpMethods: [...proxiedMethods],
        internalRewriteLocationHeader: false,
        disableRequestLogging: true,
        // A body is no value here that could be looked through.
        config: { textCheckedByItem: true },
        undici: {
          connections: connectionsMax,
          connect: { timeout: connectMaxMs },
          headersTimeout: headMaxMs,
          bodyTimeout: silenceMaxMs,
        },
        replyOptions: replyOptions(upstreams, openStreams(app)),
      });
    });
  };
}

/** The path is parsed once more on its way, and would be another one then: `/v1/../x` is `/x`. */
const refuseDotSegments: preHandlerHookHandler = (request, reply, done) => {
  const parts = pathOf(request.url)
    .split('/')
    .map((part) => part.replaceAll(/%2e/gi, '.'));
  const isOther = parts.includes('.') || parts.some((part) => /^\.\.($|%2f|%5c|\\)/i.test(part));
  if (isOther) sendProblem(reply, 'NOT_FOUND');
  else done();
};

type Answer = { readonly stream: Readable };

function replyOptions(
  upstreams: Upstreams,
  streams: OpenStreams,
): NonNullable<FastifyHttpProxyOptions['replyOptions']> {
  const picked = new WeakMap<object, string>();
  return {
    getUpstream: (request) => {
      const url = upstreams.pick(roleOf(request.method, pathOf(request.url)));
      picked.set(request.raw, url);
      return url;
    },
    rewriteRequestHeaders: (request, headers) => forwarded(request as HttpRequest, headers),
    retryDelay: () => null,
    onError: (reply, { error }) => {
      const { code = '' } = (error.cause ?? {}) as { readonly code?: string };
      if (neverTaken.has(code)) upstreams.noteUnreachable(picked.get(reply.request.raw) ?? '');
      const isLate = code === 'UND_ERR_HEADERS_TIMEOUT';
      void sendProblem(reply as unknown as HttpReply, isLate ? 'DEPENDENCY_TIMEOUT' : 'ROLE_UNAVAILABLE');
    },
    onResponse: (_request, reply, answer) => {
      // Its type says a response; what comes is that with the body as a stream.
      const { stream } = answer as unknown as Answer;
      streams.note(reply as unknown as HttpReply, stream);
      void reply.send(stream);
    },
  };
}

const neverTaken: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'UND_ERR_CONNECT_TIMEOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);

/** The first that a stranger meets says who it is; what the stranger says of itself is dropped. */
function forwarded(request: HttpRequest, headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { forwarded: _claimed, ...rest } = headers;
  return {
    ...rest,
    'x-forwarded-for': request.ip,
    'x-forwarded-host': request.headers.host ?? '',
    'x-forwarded-proto': request.protocol,
    // One trace id for both processes: the caller's, or the one that ours was given.
    traceparent: request.headers.traceparent ?? `00-${request.id}-${request.id.slice(16)}-01`,
  };
}

type OpenStreams = { note(reply: HttpReply, stream: Readable): void };

/** Live streams have no end of their own: those that are open end when the door drains. */
function openStreams(app: HttpApp): OpenStreams {
  const open = new Map<Readable, HttpReply>();
  app.addHook('preClose', (done) => {
    for (const [stream, reply] of open) {
      reply.raw.end();
      stream.destroy();
    }
    done();
  });
  return {
    note: (reply, stream) => {
      if (reply.getHeader('content-type') !== 'text/event-stream') return;
      // The connection carries nothing after the stream.
      void reply.header('connection', 'close');
      open.set(stream, reply);
      stream.once('close', () => open.delete(stream));
    },
  };
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
