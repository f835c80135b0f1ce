import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { openHttpClient } from '../orders/http-client.ts';
import type { HttpClient } from '../orders/http-client.ts';
import type { VerbTarget } from '../system/order-center.ts';
import { launchRole } from '../system/role-process.ts';
import type { RoleName, RoleProcess } from '../system/role-process.ts';
import { until } from '../system/until.ts';

/** Every role in a process of its own on one Postgres; of projector and fulfillment a second one that waits. */
export type Deployment = {
  /** Commands and queries behind one client. */
  readonly client: HttpClient;
  readonly target: VerbTarget;
  /** They work: every lease is theirs. */
  readonly holders: Pair;
  /** They wait. */
  readonly spares: Pair;
  /** Ends all that runs. @returns the roles that did not exit with 0, though nobody killed them */
  readonly close: () => Promise<readonly RoleName[]>;
};

export type Pair = { readonly projector: RoleProcess; readonly fulfillment: RoleProcess };

export type DeploymentOptions = {
  readonly postgresUrl: string;
  /** For logs, and the simulators' ledgers. */
  readonly folder: string;
  readonly tenantId: string;
  readonly socketsMax: number;
};

export async function openDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { postgresUrl, folder, tenantId, socketsMax } = options;
  const dataDir = join(folder, 'data');
  await mkdir(dataDir, { recursive: true });
  const running = new Set<RoleProcess>();
  const launch = async (role: RoleName, environment: Readonly<Record<string, string>>): Promise<RoleProcess> => {
    const launched = await launchRole(role, { environment: { ...environment, DATA_DIR: dataDir }, folder });
    running.add(launched);
    return launched;
  };
  const close = (): Promise<readonly RoleName[]> => endAll(running);
  try {
    const simulators = await launch('simulators', {});
    const [PAYMENT_URL = '', LOGISTICS_URL = '', RISK_URL = ''] = simulators.urls;
    const environment = { EVENT_STORE_URL: postgresUrl, PAYMENT_URL, LOGISTICS_URL, RISK_URL };
    const [commands, queries] = [
      await launch('order-commands', environment),
      await launch('order-queries', environment),
    ];
    const pair = async (): Promise<Pair> => ({
      projector: await launch('projector', environment),
      fulfillment: await launch('fulfillment', environment),
    });
    const holders = await pair();
    await awaitHolding(holders);
    const spares = await pair();
    const [forCommands, forQueries, forMetrics] = [commands, queries, spares.fulfillment].map(({ urls }) =>
      openHttpClient({ url: urls[0] ?? '', tenantId, socketsMax }),
    ) as [HttpClient, HttpClient, HttpClient];
    const client = joined({ commands: forCommands, queries: forQueries, metrics: forMetrics });
    const target = { dataDir, url: queries.urls[0] ?? '', environment: { EVENT_STORE_URL: postgresUrl } };
    return { client, target, holders, spares, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws Error when they hold not all of their leases within 10 s */
async function awaitHolding(pair: Pair): Promise<void> {
  for (const role of Object.values<RoleProcess>(pair)) {
    const holdsAll = async (): Promise<boolean> => {
      const held = await role.metric('lease_held');
      return held !== null && held.size > 0 && [...held.values()].every((each) => each === 1);
    };
    if (!(await until(holdsAll, { withinMs: 10_000, everyMs: 50 }))) throw new Error(`${role.role} does not work`);
  }
}

/** How many leases a process holds by its own word; null: it does not answer. */
export async function heldBy(role: RoleProcess): Promise<number | null> {
  const held = await role.metric('lease_held');
  return held === null ? null : [...held.values()].reduce((sum, each) => sum + each, 0);
}

type Origins = { readonly commands: HttpClient; readonly queries: HttpClient; readonly metrics: HttpClient };

/** The one origin that a proxy would make of them; its metrics are those of the process with the gateways' breakers. */
function joined({ commands, queries, metrics }: Origins): HttpClient {
  return {
    send: (request) => {
      if (request.post !== undefined) return commands.send(request);
      return (request.path === '/metrics' ? metrics : queries).send(request);
    },
    close: () => {
      for (const client of [commands, queries, metrics]) client.close();
    },
  };
}

async function endAll(running: ReadonlySet<RoleProcess>): Promise<readonly RoleName[]> {
  const failed: RoleName[] = [];
  // The gateways last: what is in flight there ends with an answer.
  for (const role of [...running].reverse()) {
    role.resume();
    const code = await role.terminate().catch(async () => {
      await role.kill();
      return -1;
    });
    // null: it was killed.
    if (code !== 0 && code !== null) failed.push(role.role);
  }
  return failed;
}
