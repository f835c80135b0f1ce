import { pino } from 'pino';
import { expect, it } from 'vitest';

import { openEventFeed } from '../../infra/event-feed/open.ts';
import { openEventStore } from '../../infra/event-store/open.ts';
import { openHttpServer } from '../../infra/http-server/open.ts';
import { openLeases } from '../../infra/leases/open.ts';
import { openMetrics } from '../../infra/metrics/open.ts';
import { openOrderSnapshots } from '../../infra/order-snapshots/open.ts';
import { openPaymentTokens } from '../../infra/payment-tokens/open.ts';
import type { Part } from '../../infra/process/part.ts';
import { openReadStore } from '../../infra/read-store/open.ts';
import { openSubjectKeys } from '../../infra/subject-keys/open.ts';
import { apiDescription } from '../../schemas/api-description.ts';
import { wireInventory } from '../inventory/wire.ts';
import { wireOrderCommands } from '../order-commands/wire.ts';
import { openSummaryAt } from '../order-queries/summary-at.ts';
import { wireOrderQueries } from '../order-queries/wire.ts';
import { wireProjector } from '../projector/wire.ts';
import { roleOf, upstreamRoles, type UpstreamRole } from './routing.ts';

const log = pino({ level: 'silent' });

/** What each role brings to the origin, over stores in memory. */
async function parts(): Promise<Readonly<Record<UpstreamRole, Pick<Part, 'routes'>>>> {
  const metrics = openMetrics();
  const store = await openEventStore('memory:');
  const readStore = openReadStore('memory:');
  const snapshots = openOrderSnapshots();
  const subjectKeys = await openSubjectKeys('memory:');
  const common = { store, readStore, snapshots, subjectKeys, metrics, log, feed: openEventFeed(store) };
  const paymentTokens = await openPaymentTokens('memory:');
  const leases = await openLeases('memory:');
  return {
    'order-commands': wireOrderCommands({ ...common, paymentTokens, summaryAt: openSummaryAt(store) }),
    'order-queries': wireOrderQueries(common),
    inventory: wireInventory(common),
    projector: wireProjector({ ...common, leases, published: null }),
  };
}

type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };

it('leads every route of every role to that role', async () => {
  const all = await parts();
  for (const role of upstreamRoles) {
    const server = await openHttpServer({
      host: '127.0.0.1',
      port: 0,
      log,
      metrics: openMetrics(),
      api: apiDescription,
      routes: all[role].routes,
      readiness: [],
    });
    const routes = Object.entries((server.openApi() as Document).paths)
      .filter(([path]) => path.startsWith('/v1/'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })));
    expect(routes.length, role).toBeGreaterThan(0);
    for (const { method, path } of routes) {
      expect(roleOf(method, path.replaceAll(/\{\w+\}/g, 'x')), `${method} ${path}`).toBe(role);
    }
    await server.close();
  }
});
