import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startEmbeddedPostgres } from '../../infra/local/embedded-postgres.ts';
import { startRedisServer } from '../../infra/local/redis-server.ts';
import type { RedisServer } from '../../infra/local/redis-server.ts';
import { openHttpClient } from '../orders/http-client.ts';
import type { HttpClient } from '../orders/http-client.ts';
import type { VerbTarget } from '../system/order-center.ts';
import { launchRole } from '../system/role-process.ts';
import type { RoleName } from '../system/role-process.ts';
import { superviseRole } from './supervised-role.ts';
import type { SupervisedRole } from './supervised-role.ts';

/** Every role in a process of its own, on one Postgres and one Redis of the run. */
export type Fleet = {
  /** For files of the run; removed with it. */
  readonly folder: string;
  readonly roles: readonly SupervisedRole[];
  readonly projectors: readonly SupervisedRole[];
  readonly fulfillments: readonly SupervisedRole[];
  readonly redis: RedisServer;
  /** Commands and queries behind one client. */
  readonly client: HttpClient;
  readonly target: VerbTarget;
};

export type FleetOptions = { readonly instances: number; readonly keep: boolean; readonly tenantId: string };

const socketsMax = 256;
/** No order expires for want of its payment within a run: that would be other work than the one that is measured. */
const unpaidExpiryMs = '86400000';

/** Opens a fleet on `stack`, which drains it, gateways last, and removes all that is left of it. */
export async function openFleet(options: FleetOptions, stack: AsyncDisposableStack): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'order-center-storm-'));
  stack.defer(async () => {
    if (options.keep) console.log(`kept ${folder}`);
    else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  stack.defer(() => postgres.stop());
  const redis = await startRedisServer();
  stack.defer(() => redis.stop());
  const dataDir = join(folder, 'data');
  await mkdir(dataDir, { recursive: true });
  const simulators = await launchRole('simulators', { environment: { DATA_DIR: dataDir }, folder });
  stack.defer(async () => {
    await simulators.terminate().catch(() => simulators.kill());
  });
  const [PAYMENT_URL = '', LOGISTICS_URL = '', RISK_URL = ''] = simulators.urls;
  const stores = { EVENT_STORE_URL: postgres.url, READ_DB_URL: postgres.url, CACHE_URL: redis.url };
  const gateways = { PAYMENT_URL, LOGISTICS_URL, RISK_URL, UNPAID_EXPIRY_MS: unpaidExpiryMs };
  const environment = { ...stores, ...gateways, DATA_DIR: dataDir };
  const supervise = async (role: RoleName): Promise<SupervisedRole> => {
    const supervised = await superviseRole(role, { environment, folder });
    stack.defer(() => supervised.abandon());
    return supervised;
  };
  const several = async (role: RoleName): Promise<readonly SupervisedRole[]> => {
    const all: SupervisedRole[] = [];
    for (let count = 0; count < options.instances; count += 1) all.push(await supervise(role));
    return all;
  };
  const [commands, queries] = [await supervise('order-commands'), await supervise('order-queries')];
  const [projectors, fulfillments] = [await several('projector'), await several('fulfillment')];
  const urls = [commands, queries].map((role) => role.current()?.urls[0] ?? '');
  const client = joined(urls.map((url) => openHttpClient({ url, tenantId: options.tenantId, socketsMax })));
  stack.defer(() => client.close());
  const roles = [commands, queries, ...projectors, ...fulfillments];
  const target = { dataDir, url: urls[1] ?? '', environment: stores };
  return { folder, roles, projectors, fulfillments, redis, client, target };
}

/** The one origin that a proxy would make of commands and queries. */
function joined(clients: readonly HttpClient[]): HttpClient {
  const [commands, queries] = clients as readonly [HttpClient, HttpClient];
  return {
    send: (request) => (request.post === undefined ? queries : commands).send(request),
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

/** Every role by SIGTERM; what does not end well is a problem of its role. */
export async function drainFleet({ roles }: Fleet): Promise<void> {
  await Promise.all(roles.map((role) => role.drain().catch(() => role.abandon())));
}
