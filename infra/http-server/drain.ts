import { setTimeout as wait } from 'node:timers/promises';
import type { HttpApp } from './app.ts';

export type DrainLimits = {
  /** While the door still listens, every answer says `Connection: close`: callers leave by themselves. */
  readonly graceMs: number;
  /** In-flight requests are answered for so long after it stops listening; then their sockets are cut. */
  readonly drainTimeoutMs: number;
};

export type Drain = { readonly draining: () => boolean; readonly close: () => Promise<void> };

/**
 * Graceful end: not ready any more → answers close their connections → no new connections → in-flight requests are
 * answered → idle sockets are closed. An idle keep-alive socket is not closed at once, because a request that is on
 * its way at that moment would meet a reset.
 */
export function openDrain(app: HttpApp, { graceMs, drainTimeoutMs }: DrainLimits): Drain {
  let closing: Promise<void> | null = null;
  // eslint-disable-next-line max-params -- fastify's signature of a hook without a promise for each answer
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing !== null) void reply.header('connection', 'close');
    done(null, payload);
  });
  return {
    draining: () => closing !== null,
    close: () => (closing ??= close()),
  };

  async function close(): Promise<void> {
    if (app.server.listening) await wait(graceMs);
    const cut = setTimeout(() => app.server.closeAllConnections(), drainTimeoutMs);
    await app.close().finally(() => clearTimeout(cut));
  }
}
