import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { HttpApp } from './app.ts';

export type DrainLimits = {
  /** While the door still listens, every answer says `Connection: close`: callers leave by themselves. */
  readonly graceMs: number;
  /** In-flight requests are answered for so long after it stops listening; then their sockets are cut. */
  readonly drainTimeoutMs: number;
};

export type Drain = { readonly draining: () => boolean; readonly close: () => Promise<void> };

/** Turns of the event loop without a new connection after which nobody waits in the kernel's queue any more. */
const quietTurns = 3;
const quietMaxMs = 1_000;

/**
 * Graceful end: not ready any more → answers close their connections → what waits to be accepted is accepted → no new
 * connections → in-flight requests are answered → idle sockets are closed. An idle keep-alive socket is not closed at
 * once, because a request that is on its way at that moment would meet a reset.
 *
 * Closing a listener resets the connections that the kernel holds for it and nobody accepted yet. Callers that were told
 * to leave come back on new ones, so answers are held for the few turns in which the queue is emptied.
 */
export function openDrain(app: HttpApp, { graceMs, drainTimeoutMs }: DrainLimits): Drain {
  let closing: Promise<void> | null = null;
  let held: Gate | null = null;
  // eslint-disable-next-line max-params -- fastify's signature of a hook without a promise for each answer
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing !== null) void reply.header('connection', 'close');
    if (held === null) done(null, payload);
    else void held.opened.then(() => done(null, payload));
  });
  return {
    draining: () => closing !== null,
    close: () => (closing ??= close()),
  };

  async function close(): Promise<void> {
    if (app.server.listening) {
      await wait(graceMs);
      held = openGate();
      await nobodyWaits(app);
      app.server.close();
      held.open();
    }
    const cut = setTimeout(() => app.server.closeAllConnections(), drainTimeoutMs);
    await app.close().finally(() => clearTimeout(cut));
  }
}

async function nobodyWaits(app: HttpApp): Promise<void> {
  let accepted = 0;
  const count = (): void => void (accepted += 1);
  app.server.on('connection', count);
  const until = performance.now() + quietMaxMs;
  for (let quiet = 0; quiet < quietTurns && performance.now() < until;) {
    const before = accepted;
    await turn();
    quiet = accepted === before ? quiet + 1 : 0;
  }
  app.server.off('connection', count);
}

type Gate = { readonly opened: Promise<unknown>; readonly open: () => void };

function openGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  return { opened: promise, open: () => resolve(undefined) };
}
