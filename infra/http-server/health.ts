import { Type } from 'typebox';
import { within } from '../within.ts';
import type { HttpApp } from './app.ts';
import { problems } from './problem-schema.ts';

/** One thing that must work before traffic may come. */
export type ReadinessCheck = {
  /** A word or two, shown to operators. */
  readonly name: string;
  /** Resolves or rejects within `readinessTimeoutMs`, else it counts as failed. */
  readonly check: () => Promise<void> | void;
};

export type Health = {
  readonly checks: readonly ReadinessCheck[];
  readonly draining: () => boolean;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
};

/** A probe that waits longer than its orchestrator does is no probe. */
const readinessTimeoutMs = 2_000;

const readiness = Type.Object({
  status: Type.Enum(['ready', 'not-ready', 'draining']),
  checks: Type.Array(Type.Object({ name: Type.String(), ok: Type.Boolean() })),
});

const noQuery = Type.Object({}, { additionalProperties: false });

/** /livez: the event loop turns. /readyz: traffic may come. /metrics: OpenMetrics. */
export function healthRoutes(app: HttpApp, health: Health): void {
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'getLiveness',
        summary: 'Whether the process lives',
        tags: ['operations'],
        querystring: noQuery,
        response: {
          200: {
            description: 'It does.',
            ...json(Type.Object({ status: Type.Literal('alive') }), { status: 'alive' }),
          },
          ...problems(),
        },
      },
    },
    (_request, reply) => reply.header('content-type', 'application/json').send('{"status":"alive"}'),
  );
  readinessRoute(app, health);
  metricsRoute(app, health);
}

function readinessRoute(app: HttpApp, { checks, draining }: Health): void {
  const example = (status: string, ok: boolean) => ({ status, checks: [{ name: 'event-store', ok }] });
  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        summary: 'Whether traffic may come, and which check says no',
        tags: ['operations'],
        querystring: noQuery,
        response: {
          200: { description: 'It may.', ...json(readiness, example('ready', true)) },
          503: { description: 'It may not, now.', ...json(readiness, example('not-ready', false)) },
          ...problems(),
        },
      },
    },
    async (_request, reply) => {
      const results = await Promise.all(checks.map(async ({ name, check }) => ({ name, ok: await passes(check) })));
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
        summary: 'Metrics of this process in the OpenMetrics text format',
        tags: ['operations'],
        querystring: noQuery,
        response: {
          200: {
            description: 'One line a sample.',
            content: { 'application/openmetrics-text': { schema: Type.String(), example: '# EOF\n' } },
          },
          ...problems(),
        },
      },
    },
    async (_request, reply) => reply.header('content-type', metrics.contentType).send(await metrics.text()),
  );
}

async function passes(check: ReadinessCheck['check']): Promise<boolean> {
  const answer = Promise.resolve()
    .then(check)
    .then(
      () => true,
      () => false,
    );
  return (await within(readinessTimeoutMs, answer)) ?? false;
}

function json(schema: object, example: unknown): object {
  return { content: { 'application/json': { schema, example } } };
}
