import { readFile, writeFile } from 'node:fs/promises';
import { pino } from 'pino';
import { format, resolveConfig } from 'prettier';
import { openEventStore } from '../../infra/event-store/open.ts';
import { openHttpServer } from '../../infra/http-server/open.ts';
import { openMetrics } from '../../infra/metrics/open.ts';
import { openOrderSnapshots } from '../../infra/order-snapshots/open.ts';
import { openPaymentTokens } from '../../infra/payment-tokens/open.ts';
import { openReadStore } from '../../infra/read-store/open.ts';
import { openSubjectKeys } from '../../infra/subject-keys/open.ts';
import { stockRoutes } from '../inventory/http/routes.ts';
import { openInventory } from '../inventory/open.ts';
import { orderCommandRoutes } from '../order-commands/http/routes.ts';
import { openOrderCommands } from '../order-commands/open.ts';
import { orderQueryRoutes } from '../order-queries/http/routes.ts';
import { openOrderQueries } from '../order-queries/order-queries.ts';
import { apiDescription } from './api-description.ts';

const file = new URL('../../docs/openapi.json', import.meta.url);

/** Writes docs/openapi.json from the routes of all services; with --check it only compares. Needs no database. */
const written = await document();
if (!process.argv.includes('--check')) {
  await writeFile(file, written);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== written) {
  console.error('docs/openapi.json is not what the routes say: run npm run generate');
  process.exitCode = 1;
}

async function document(): Promise<string> {
  const store = await openEventStore('memory:');
  const commands = openOrderCommands({
    store,
    subjectKeys: await openSubjectKeys('memory:'),
    paymentTokens: await openPaymentTokens('memory:'),
  });
  const readStore = openReadStore('memory:');
  const queries = openOrderQueries({ store, readStore, snapshots: openOrderSnapshots(), cursorSecret: 'none' });
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'silent' }),
    metrics: openMetrics(),
    api: apiDescription,
    routes: [
      orderCommandRoutes({ commands, summaryAt: (...order) => queries.summaryAt(...order) }),
      orderQueryRoutes(queries),
      stockRoutes(openInventory({ store })),
    ],
    readiness: [],
  });
  const json = JSON.stringify(server.openApi());
  await server.close();
  await readStore.close();
  await store.close();
  return format(json, { ...(await resolveConfig(file)), parser: 'json' });
}
