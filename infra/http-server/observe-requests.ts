import type { Logger } from 'pino';
import type { HttpMetrics } from '../metrics/open.ts';
import type { HttpApp } from './app.ts';

/** Counts and times every answer; a line of it in the log only at debug, since the hot path has better to do. */
export function observeRequests(
  app: HttpApp,
  { log, metrics }: { readonly log: Logger; readonly metrics: HttpMetrics },
): void {
  const logged = log.isLevelEnabled('debug');
  app.addHook('onResponse', (request, reply, done) => {
    const durationMs = reply.elapsedTime;
    // A path that is no route would make a label of each typo.
    const route = request.routeOptions.url ?? 'none';
    const { method, id: traceId } = request;
    metrics.observeRequest({ method, route, status: reply.statusCode, seconds: durationMs / 1_000, traceId });
    if (logged) log.debug({ traceId, method, route, status: reply.statusCode, durationMs }, 'answered');
    done();
  });
}
