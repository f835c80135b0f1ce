import type { Logger } from 'pino';
import type { HttpMetrics } from '../metrics/open.ts';
import type { HttpApp, HttpRequest } from './app.ts';

/** Counts and times every answer; a line of it in the log only at debug, since the hot path has better to do. */
export function observeRequests(
  app: HttpApp,
  { log, metrics }: { readonly log: Logger; readonly metrics: HttpMetrics },
): void {
  const logged = log.isLevelEnabled('debug');
  const streamHeads = timeStreamHeads(app);
  app.addHook('onResponse', (request, reply, done) => {
    const durationMs = streamHeads.get(request) ?? reply.elapsedTime;
    // A path that is no route would make a label of each typo.
    const route = request.routeOptions.url ?? 'none';
    const { method, id: traceId } = request;
    metrics.observeRequest({ method, route, status: reply.statusCode, seconds: durationMs / 1_000, traceId });
    if (logged) log.debug({ traceId, method, route, status: reply.statusCode, durationMs }, 'answered');
    done();
  });
}

type Documented = { readonly response?: { readonly 200?: { readonly content?: Readonly<Record<string, unknown>> } } };

/**
 * An event stream is answered when its head is sent: how long its client stays says nothing about us. Only routes that
 * document such an answer pay for it.
 */
function timeStreamHeads(app: HttpApp): WeakMap<HttpRequest, number> {
  const headsMs = new WeakMap<HttpRequest, number>();
  app.addHook('onRoute', (route) => {
    const content = (route.schema as Documented | undefined)?.response?.[200]?.content ?? {};
    if (!('text/event-stream' in content)) return;
    const given = [route.onSend ?? []].flat();
    route.onSend = [
      (request, reply) => {
        headsMs.set(request, reply.elapsedTime);
        return Promise.resolve();
      },
      ...given,
    ];
  });
  return headsMs;
}
