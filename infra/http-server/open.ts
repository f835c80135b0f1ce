import type { AddressInfo } from 'node:net';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify from 'fastify';
import type { Logger } from 'pino';
import { OperationalFailure } from '../failures.ts';
import type { HttpMetrics } from '../metrics/open.ts';
import type { HttpApp, Routes } from './app.ts';
import { bodyRules } from './body-rules.ts';
import { answerClientError } from './client-errors.ts';
import { docsRoutes } from './docs-routes.ts';
import { openDrain } from './drain.ts';
import { errorHandler } from './errors.ts';
import { healthRoutes } from './health.ts';
import type { LivenessCheck, ReadinessCheck } from './health.ts';
import { describeApi } from './openapi.ts';
import type { ApiDescription } from './openapi.ts';
import { asyncApiRoute } from './asyncapi-route.ts';
import { openApiRoute } from './openapi-route.ts';
import { observeRequests } from './observe-requests.ts';
import { readQueryNumbers } from './query-numbers.ts';
import { readJsonBodies } from './json-bodies.ts';
import { checkFraming } from './request-framing.ts';
import { traceIdOf } from './trace-id.ts';
import { answerUnknownRoutes } from './unknown-routes.ts';

export type HttpServerOptions = {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly log: Logger;
  readonly metrics: HttpMetrics;
  readonly api: ApiDescription;
  readonly routes: readonly Routes[];
  readonly readiness: readonly ReadinessCheck[];
  /** None by default: then it lives as long as it answers. */
  readonly liveness?: readonly LivenessCheck[];
  /** From a request's first byte to its last; 10 s by default. */
  readonly requestTimeoutMs?: number;
  /** 300 by default: how long answers say `Connection: close` before the door stops listening. */
  readonly drainGraceMs?: number;
  /** 8 s by default. */
  readonly drainTimeoutMs?: number;
};

export type HttpServer = {
  readonly app: HttpApp;
  /** Resolves to the URL once it listens. @throws OperationalFailure PORT_UNUSABLE (in use, or not allowed) */
  listen(): Promise<string>;
  /** The OpenAPI 3.1 document of all routes. */
  openApi(): object;
  /** Drains: see drain.ts. A second call waits for the first. */
  close(): Promise<void>;
};

/** Limits of contract.md; each is a wait or a size that somebody else decides on otherwise. */
const bodyMaxBytes = 1024 * 1024;
const headersMaxBytes = 16 * 1024;
/** Above the 60 s of common balancers: the one that closes must not be us. */
const keepAliveTimeoutMs = 65_000;
/** A socket on which nothing moves. */
const connectionTimeoutMs = 120_000;
/** A command id of 255 characters, each percent-encoded. */
const pathPartMax = 3 * 255;

/**
 * An HTTP door: limits, problem+json, trace ids, metrics, health, OpenAPI and a graceful end; services bring routes.
 * `app.inject` works without `listen`.
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app = frame(options);
  const drain = openDrain(app, {
    graceMs: options.drainGraceMs ?? 300,
    drainTimeoutMs: options.drainTimeoutMs ?? 8_000,
  });
  checkFraming(app);
  answerUnknownRoutes(app);
  readQueryNumbers(app);
  readJsonBodies(app);
  observeRequests(app, options);
  await describeApi(app, options.api);
  const { readiness: checks, liveness = [], metrics } = options;
  healthRoutes(app, { checks, liveness, draining: drain.draining, metrics });
  openApiRoute(app);
  asyncApiRoute(app);
  await docsRoutes(app);
  for (const register of options.routes) register(app);
  await app.ready();
  return {
    app,
    listen: async () => {
      await listen(app, options);
      return urlOf(app);
    },
    openApi: () => app.swagger(),
    close: drain.close,
  };
}

function frame({ log, requestTimeoutMs = 10_000 }: HttpServerOptions): HttpApp {
  const onError = errorHandler(log);
  const app = Fastify({
    logger: false,
    genReqId: traceIdOf,
    bodyLimit: bodyMaxBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: connectionTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    // Requests that came in before the sockets close are answered, not refused: see drain.ts.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Slow requests are looked for each second: Node's own interval is 30 s.
    http: {
      maxHeaderSize: headersMaxBytes,
      connectionsCheckingInterval: 1_000,
      headersTimeout: requestTimeoutMs,
      // Checked by request-framing.ts, which answers with a problem.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: pathPartMax },
    exposeHeadRoutes: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => onError(error, reply),
    ajv: bodyRules,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setErrorHandler((error, _request, reply) => onError(error, reply));
  // Answers are text or plain objects made by us: nothing is compiled or checked on the way out.
  app.setSerializerCompiler(() => JSON.stringify);
  return app;
}

async function listen(app: HttpApp, { host, port }: HttpServerOptions): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new OperationalFailure('PORT_UNUSABLE', `${host}:${port} (${code})`, { retryable: false, cause: error });
  }
}

function urlOf(app: HttpApp): string {
  const { address, port, family } = app.server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
