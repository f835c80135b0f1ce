import { join } from 'node:path';

import type { Config, Environment } from '../../infra/config/config.ts';
import { publishRunning } from '../../infra/local/data-dir.ts';
import { openDatabase } from '../../infra/local/database.ts';
import { openLog } from '../../infra/logging/open.ts';
import { applyTopics } from '../../infra/topics/apply.ts';
import { openTopics } from '../../infra/topics/open.ts';
import { topicList } from '../../infra/topics/topic-list.ts';
import type { StackOptions } from './options.ts';
import { plan, type Plan } from './plan.ts';
import { endLeftRoles, startRole, untilReady } from './role-process.ts';
import { environmentOf, localUrl, roleNames, type RoleName, type Servers } from './roles.ts';
import { startKafka, startRedis } from './servers.ts';
import type { Supervised } from './supervise.ts';

export type OpenStack = {
  readonly config: Pick<Config, 'dataDir' | 'eventStoreUrl' | 'cacheUrl' | 'feedUrl'>;
  readonly env: Environment;
  readonly options: StackOptions;
  readonly say: (line: string) => void;
  /** Aborted: somebody does not wait for the start any more. */
  readonly signal: AbortSignal;
};

export type Stack = {
  readonly url: string;
  /** All other addresses, by name, in the order in which people read them. */
  readonly urls: Readonly<Record<string, string>>;
  readonly dataDir: string;
  /** Resolves with the reason when something ended that the stack cannot go on without. */
  readonly lost: Promise<string>;
};

/** Ten processes with some 25 connections each under load; Postgres allows 100 by default. */
const postgresConnectionsMax = 400;

/**
 * Starts the servers, makes the topics, then starts every role; `opening` ends them in the opposite order. What runs on
 * the data folder is told to the CLI.
 * @throws OperationalFailure DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, POSTGRES_START_FAILED, SERVER_MISSING; Error of what
 *   does not start; the signal's reason
 */
export async function openStack(given: OpenStack, opening: AsyncDisposableStack): Promise<Stack> {
  const { env, options, say, signal } = given;
  const { servers, lost } = await openServers(given, opening);
  signal.throwIfAborted();
  const planned = await plan(options.scale, env.PORT === undefined || env.PORT === '' ? null : Number(env.PORT));
  const url = planned.instances.find(({ role }) => role === 'origin')?.url ?? '';
  await startRoles({ ...given, servers, planned }, opening);
  signal.throwIfAborted();
  if (!(await untilReady(url, signal))) say(`the stack is not ready yet: ${url}/readyz says why`);
  const urls = urlsOf(planned, servers);
  const postgresUrl = servers.eventStoreUrl;
  await publishRunning(servers.dataDir, { pid: process.pid, urls: { http: url, ...urls }, postgresUrl });
  return { url, urls, dataDir: servers.dataDir, lost };
}

type OpenedServers = { readonly servers: Servers; readonly lost: Promise<string> };

async function openServers(given: OpenStack, opening: AsyncDisposableStack): Promise<OpenedServers> {
  const { config, options, say, signal } = given;
  const database = await openDatabase(
    { ...config, eventStoreUrl: options.eventStoreUrl ?? config.eventStoreUrl },
    opening,
    { log: say, settings: { max_connections: String(postgresConnectionsMax) } },
  );
  const { dataDir } = config;
  await endLeftRoles(join(dataDir, 'stack'));
  signal.throwIfAborted();
  const starting = [
    config.feedUrl === null ? startKafka({ dataDir, say }) : elsewhere(config.feedUrl),
    config.cacheUrl === null ? startRedis({ dataDir, say }) : elsewhere(config.cacheUrl),
  ] as const;
  // Both are waited for, so that the one that started is ended where the other one did not.
  const started = await Promise.allSettled(starting);
  for (const one of started) {
    const server = one.status === 'fulfilled' ? one.value?.server : undefined;
    if (server !== undefined) opening.defer(() => server.stop());
  }
  const [kafka, redis] = await Promise.all(starting);
  await makeTopics(kafka.url, say);
  const servers = { dataDir, eventStoreUrl: database.eventStoreUrl, cacheUrl: redis?.url ?? null, kafkaUrl: kafka.url };
  return { servers, lost: database.lost ?? new Promise(() => undefined) };
}

function elsewhere(url: string): Promise<{ readonly url: string; readonly server?: undefined }> {
  return Promise.resolve({ url });
}

async function makeTopics(kafkaUrl: string, say: (line: string) => void): Promise<void> {
  const topics = openTopics(kafkaUrl, openLog({ role: 'stack', level: 'error' }));
  const { done, left } = await applyTopics(topics, topicList);
  if (done.length > 0) say(`made ${done.length} topics what they are to be`);
  if (left.length > 0) say(`${left.length} topics are not what they are to be: npx order-center topics diff`);
}

type StartRoles = OpenStack & { readonly servers: Servers; readonly planned: Plan };

/** The first make the tables in which the others meet, and serve what those ask; all others start together. */
const first: ReadonlySet<RoleName> = new Set(['simulators', 'order-commands']);

async function startRoles({ env, servers, planned, say, signal }: StartRoles, opening: AsyncDisposableStack) {
  const folder = join(servers.dataDir, 'stack');
  const running: { readonly role: RoleName; readonly process: Supervised }[] = [];
  opening.defer(async () => {
    for (const role of roleNames.toReversed()) {
      await Promise.all(running.filter((one) => one.role === role).map(({ process }) => process.stop()));
    }
  });
  for (const isFirst of [true, false]) {
    signal.throwIfAborted();
    const instances = planned.instances.filter(({ role }) => first.has(role) === isFirst);
    const starting = instances.map(async (instance) => {
      const told = { ...env, ...environmentOf(instance, servers, planned) };
      running.push({ role: instance.role, process: await startRole({ instance, folder, env: told, say, signal }) });
    });
    // Each is waited for, so that all that started are ended where one did not.
    await Promise.allSettled(starting);
    await Promise.all(starting);
  }
}

function urlsOf({ instances, gateways }: Plan, servers: Servers): Readonly<Record<string, string>> {
  const roles = instances.filter(({ role }) => role !== 'origin' && role !== 'simulators');
  return {
    ...Object.fromEntries(roles.map(({ name, url }) => [name, url])),
    payment: localUrl(gateways.payment),
    logistics: localUrl(gateways.logistics),
    risk: localUrl(gateways.risk),
    kafka: servers.kafkaUrl,
    ...(servers.cacheUrl === null ? {} : { redis: servers.cacheUrl }),
  };
}
