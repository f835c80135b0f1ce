import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { isOperationalFailure } from '../../infra/failures.ts';
import { faultScript, type Fault, type Faults } from './faults.ts';

export type Simulator = { readonly url: string; readonly close: () => Promise<void> };

export type ServerOptions = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly faults: Faults;
  readonly operations: Readonly<Record<string, Operation>>;
  /** Answers `GET /v1/results?key=`. */
  readonly find?: (key: string) => Promise<unknown>;
};

/** `body` has an `orderId`; `run` gets a body that fits. */
type Operation = { readonly body: TSchema; readonly run: (request: never) => Promise<unknown> };

/** How long an answer that never comes is waited for, when the client does not hang up first. */
const SILENCE_MAX_MS = 30_000;

/**
 * Serves operations as `POST /v1/<operation>` and `PUT /sim/faults/{orderId}` (see `faultScript`).
 * Answers 200 with the result, 400 for another shape (unknown fields too), 422 for a key of another request, 429 when
 * 10,000 orders are scripted.
 */
export async function startServer(options: ServerOptions): Promise<Simulator> {
  const server = fastify({
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    bodyLimit: 1024 * 1024,
    requestTimeout: 10_000,
    connectionTimeout: 2 * SILENCE_MAX_MS,
    keepAliveTimeout: 10_000,
    forceCloseConnections: true,
  });
  server.setErrorHandler((error, _request, reply) => {
    const { status, code } = statusOf(error);
    return reply.code(status).send({ code, detail: status < 500 && error instanceof Error ? error.message : code });
  });
  const ending = new AbortController();
  const disturbed = disturber(options.faults, ending.signal);
  for (const [op, operation] of Object.entries(options.operations)) addOperation(server, { op, operation, disturbed });
  if (options.find) addFind(server, options.find, disturbed);
  addFaults(server, options.faults);
  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/readyz', () => ({ status: 'ok' }));
  const url = await server.listen({ host: options.host, port: options.port });
  return {
    url,
    close: async () => {
      ending.abort();
      await server.close();
    },
  };
}

type Request = { readonly orderId: string; readonly op: string; readonly reply: FastifyReply };
type Disturbed = (request: Request, run: () => Promise<unknown>) => Promise<unknown>;
type Route = { readonly op: string; readonly operation: Operation; readonly disturbed: Disturbed };

function addOperation(server: FastifyInstance, { op, operation, disturbed }: Route): void {
  server.post(`/v1/${op}`, { schema: { body: operation.body } }, (request, reply) => {
    const { orderId } = request.body as { readonly orderId: string };
    return disturbed({ orderId, op, reply }, () => operation.run(request.body as never));
  });
}

function addFind(server: FastifyInstance, find: (key: string) => Promise<unknown>, disturbed: Disturbed): void {
  const querystring = Type.Object({ key: Type.String({ minLength: 1 }) }, { additionalProperties: false });
  server.get('/v1/results', { schema: { querystring } }, (request, reply) => {
    const { key } = request.query as { readonly key: string };
    const orderId = key.split('/', 1)[0] ?? key;
    return disturbed({ orderId, op: 'find', reply }, async () => {
      const result = await find(key);
      return result === 'not-found' ? { outcome: 'not-found' } : result;
    });
  });
}

function addFaults(server: FastifyInstance, faults: Faults): void {
  server.put('/sim/faults/:orderId', { schema: { body: faultScript } }, (request, reply) => {
    const { orderId } = request.params as { readonly orderId: string };
    const isTaken = faults.script(orderId, (request.body as { readonly faults: readonly Fault[] }).faults);
    return isTaken ? reply.code(204).send() : reply.code(429).send({ code: 'TOO_MANY_SCRIPTS' });
  });
}

/** Delay, then error or effect, then answer or silence. */
function disturber(faults: Faults, ending: AbortSignal): Disturbed {
  return async ({ orderId, op, reply }, run) => {
    const { delayMs, isError, isSilent } = faults.disturb(orderId, op);
    if (delayMs > 0) await wait(delayMs, undefined, { signal: ending });
    if (isError) return reply.code(500).send({ code: 'SIMULATED_ERROR' });
    const result = await run();
    if (!isSilent) return reply.send(result);
    reply.hijack();
    await stayLongSilent(reply, ending);
    return reply;
  };
}

async function stayLongSilent(reply: FastifyReply, ending: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([ending, AbortSignal.timeout(SILENCE_MAX_MS)]);
  await once(reply.raw, 'close', { signal }).catch(() => undefined);
  reply.raw.destroy();
}

function statusOf(error: unknown): { readonly status: number; readonly code: string } {
  if (isOperationalFailure(error, 'DEPENDENCY_REFUSED')) return { status: 422, code: 'KEY_REUSED' };
  const { statusCode } = error as { readonly statusCode?: number };
  if (statusCode !== undefined && statusCode < 500) return { status: statusCode, code: 'INVALID_REQUEST' };
  return { status: 500, code: 'INTERNAL' };
}
