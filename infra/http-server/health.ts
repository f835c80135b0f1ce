import { Type } from 'typebox';
import type { Exposition } from '../metrics/exposition.ts';
import type { HttpApp } from './app.ts';
import { problems } from './problem-schema.ts';
import { openReadiness, type CheckResult, type ReadinessCheck } from './readiness.ts';

export type { ReadinessCheck };

/** Something in the process that only a restart would cure; asked of memory alone, never of another system. */
export type LivenessCheck = {
  readonly name: string;
  /** In a few words what is wedged; null: nothing. */
  readonly wedged: () => string | null;
};

export type Health = {
  readonly checks: readonly ReadinessCheck[];
  readonly liveness: readonly LivenessCheck[];
  readonly draining: () => boolean;
  readonly metrics: { expose(accept?: string): Promise<Exposition> };
};

const readiness = Type.Object({
  status: Type.Enum(['ready', 'not-ready', 'draining']),
  checks: Type.Array(
    Type.Object({
      name: Type.String(),
      ok: Type.Boolean(),
      reason: Type.Optional(Type.String({ description: 'A code of docs/errors, TIMEOUT or INTERNAL.' })),
    }),
  ),
});

const liveness = Type.Object({
  status: Type.Enum(['alive', 'wedged']),
  wedged: Type.Optional(Type.Array(Type.Object({ name: Type.String(), detail: Type.String() }))),
});

const noQuery = Type.Object({}, { additionalProperties: false });

/** Probes ask for `?verbose` by custom; every check is always listed. */
const probeQuery = Type.Object(
  { verbose: Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{0,16}$' })) },
  { additionalProperties: false },
);

/**
 * /livez: the event loop turns, and nothing in the process is wedged that a restart would free. /readyz: traffic may
 * come. /metrics: see metrics/accepted-format.ts.
 */
export function healthRoutes(app: HttpApp, health: Health): void {
  livenessRoute(app, health);
  readinessRoute(app, health);
  metricsRoute(app, health);
}

function livenessRoute(app: HttpApp, { liveness: checks }: Health): void {
  const wedgedExample = { status: 'wedged', wedged: [{ name: 'consumers', detail: 'order-summary: 61 s' }] };
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'getLiveness',
        summary: 'Whether the process lives; if not, a restart helps',
        tags: ['operations'],
        querystring: probeQuery,
        response: {
          200: { description: 'It does.', ...json(liveness, { status: 'alive' }) },
          503: { description: 'A part of it is wedged: restart it.', ...json(liveness, wedgedExample) },
          ...problems(),
        },
      },
    },
    (_request, reply) => {
      const wedged = checks.flatMap(({ name, wedged: ask }) => {
        const detail = ask();
        return detail === null ? [] : [{ name, detail }];
      });
      void reply.header('content-type', 'application/json');
      if (wedged.length === 0) return reply.send('{"status":"alive"}');
      return reply.code(503).send(JSON.stringify({ status: 'wedged', wedged }));
    },
  );
}

function readinessRoute(app: HttpApp, { checks, draining }: Health): void {
  const askAll = openReadiness(checks);
  const example = (status: string, check: Omit<CheckResult, 'name'>) => ({
    status,
    checks: [{ name: 'event-store', ...check }],
  });
  const late = { ok: false, reason: 'TIMEOUT' } as const;
  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        summary: 'Whether traffic may come, and which check says no',
        tags: ['operations'],
        querystring: probeQuery,
        response: {
          200: { description: 'It may.', ...json(readiness, example('ready', { ok: true })) },
          503: { description: 'It may not, now.', ...json(readiness, example('not-ready', late)) },
          ...problems(),
        },
      },
    },
    async (_request, reply) => {
      const results = await askAll();
      const ok = !draining() && results.every((result) => result.ok);
      const status = ok ? 'ready' : draining() ? 'draining' : 'not-ready';
      return reply
        .code(ok ? 200 : 503)
        .header('content-type', 'application/json')
        .send(JSON.stringify({ status, checks: results }));
    },
  );
}

function metricsRoute(app: HttpApp, { metrics }: Health): void {
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        summary: 'Metrics of this process: OpenMetrics, or the older Prometheus text where Accept prefers it',
        tags: ['operations'],
        querystring: noQuery,
        response: {
          200: {
            description: 'One line a sample.',
            content: {
              'application/openmetrics-text': { schema: Type.String(), example: '# EOF\n' },
              'text/plain': { schema: Type.String(), example: 'order_created_total 1\n' },
            },
          },
          ...problems(),
        },
      },
    },
    async (request, reply) => {
      const { contentType, body } = await metrics.expose(request.headers.accept);
      return reply.header('content-type', contentType).header('vary', 'accept').send(body);
    },
  );
}

function json(schema: object, example: unknown): object {
  return { content: { 'application/json': { schema, example } } };
}
