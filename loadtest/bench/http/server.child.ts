import { randomUUID } from 'node:crypto';

import { openEventStore } from '../../../infra/event-store/open.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { appendedOf } from '../../../infra/event-store/postgres/rows.ts';
import { openHttpServer } from '../../../infra/http-server/open.ts';
import { openLog } from '../../../infra/logging/open.ts';
import { openMetrics } from '../../../infra/metrics/open.ts';
import { openPaymentTokens } from '../../../infra/payment-tokens/open.ts';
import { openSubjectKeys } from '../../../infra/subject-keys/open.ts';
import { orderCommandRoutes } from '../../../services/order-commands/http/routes.ts';
import { openOrderCommands } from '../../../services/order-commands/open.ts';
import { serve } from '../child-process.ts';

/** `storeUrl` null: a store that answers at once and keeps nothing. */
export type ServerRequest = { readonly kind: 'listen'; readonly storeUrl: string | null } | { readonly kind: 'count' };
export type ServerAnswer = { readonly url: string; readonly stored: number };

let store: EventStore | undefined;
let url = '';
const closing: { close(): Promise<void> }[] = [];

/** The door of `npm start` with the one route that is pushed: validation, decision, fold, answer, metrics as there. */
async function listen(storeUrl: string | null): Promise<void> {
  store = storeUrl === null ? await openInertStore() : await openEventStore(storeUrl);
  const subjectKeys = await openSubjectKeys(storeUrl ?? 'memory:');
  const paymentTokens = await openPaymentTokens(storeUrl ?? 'memory:');
  const metrics = openMetrics();
  const commands = openOrderCommands({ store, subjectKeys, paymentTokens });
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: openLog({ role: 'bench', level: 'warn' }),
    metrics,
    api: { title: 'bench', version: '1.0.0', description: 'One route', tags: [] },
    routes: [
      orderCommandRoutes({
        commands,
        summaryAt: () => Promise.reject(new Error('a placement reads nothing')),
        observePlacement: metrics.observePlacement,
      }),
    ],
    readiness: [],
  });
  closing.push(server, store, subjectKeys, paymentTokens);
  url = await server.listen();
}

/** What the Postgres store answers, without Postgres. */
async function openInertStore(): Promise<EventStore> {
  const memory = await openEventStore('memory:');
  const epoch = randomUUID();
  let tx = 0n;
  return {
    ...memory,
    append: (append) => {
      tx += 1n;
      return Promise.resolve(appendedOf(append, { epoch, tx, ordinal: 0, recordedAt: new Date().toISOString() }));
    },
  };
}

/** Orders in the store, page by page. */
async function countStored(): Promise<number> {
  if (store === undefined) return 0;
  let stored = 0;
  let after = null;
  for (;;) {
    const page = await store.readLog({ after, types: ['OrderPlaced'], limit: 5_000 });
    stored += page.events.length;
    if (page.atEnd) return stored;
    after = page.checkpoint;
  }
}

serve(
  async (request: ServerRequest): Promise<ServerAnswer> => {
    if (request.kind === 'listen') await listen(request.storeUrl);
    return { url, stored: request.kind === 'count' ? await countStored() : 0 };
  },
  async () => {
    for (const opened of closing) await opened.close();
  },
);
