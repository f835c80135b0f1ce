import type { Logger } from 'pino';
import type { HttpMetrics } from '../metrics/open.ts';
import type { HttpApp, HttpReply, HttpRequest } from './app.ts';

/** Counts and times every answer; a line of it in the log only at debug, since the hot path has better to do. */
export function observeRequests(
  app: HttpApp,
  { log, metrics }: { readonly log: Logger; readonly metrics: HttpMetrics },
): void {
  const logged = log.isLevelEnabled('debug');
  const observe = (request: HttpRequest, reply: HttpReply): void => {
    const durationMs = reply.elapsedTime;
    // A path that is no route would make a label of each typo.
    const route = request.routeOptions.url ?? 'none';
    const { method, id: traceId } = request;
    metrics.observeRequest({ method, route, status: reply.statusCode, seconds: durationMs / 1_000, traceId });
    if (logged) log.debug({ traceId, method, route, status: reply.statusCode, durationMs }, 'answered');
  };
  const streamed = observeStreams(app, observe);
  app.addHook('onResponse', (request, reply, done) => {
    if (!streamed.has(request)) observe(request, reply);
    done();
  });
}

type Documented = { readonly response?: { readonly 200?: { readonly content?: Readonly<Record<string, unknown>> } } };

/**
 * An event stream is answered when its head is sent: how long its client stays says nothing about us, and one that
 * leaves gets no `onResponse`. Only routes that document such an answer are looked at.
 */
function observeStreams(
  app: HttpApp,
  observe: (request: HttpRequest, reply: HttpReply) => void,
): { has(request: HttpRequest): boolean } {
  const streamed = new WeakSet<HttpRequest>();
  app.addHook('onRoute', (route) => {
    const content = (route.schema as Documented | undefined)?.response?.[200]?.content ?? {};
    if (!('text/event-stream' in content)) return;
    const given = [route.onSend ?? []].flat();
    route.onSend = [
      (request, reply) => {
        streamed.add(request);
        observe(request, reply);
        return Promise.resolve();
      },
      ...given,
    ];
  });
  return streamed;
}
