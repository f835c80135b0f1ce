import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

import { startEmbeddedPostgres } from '../infra/local/embedded-postgres.ts';
import { findPostgresBinaries } from '../infra/local/postgres-binaries.ts';
import { kafkaBrokerMissing } from '../infra/local/kafka-broker.ts';
import { findRedisServer, startRedisServer } from '../infra/local/redis-server.ts';
import { postgresContainer, redisContainer } from './containers.ts';
import { dockerRuns } from './docker.ts';
import { kafkaBackend } from './kafka-backend.ts';
import { lazyBackend, type BackendSource, type OpenedBackend } from './lazy-backend.ts';
import { registryBackend } from './registry-backend.ts';

declare module 'vitest' {
  // Only an interface can be merged with vitest's own.
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions
  export interface ProvidedContext {
    /** A Postgres whose user may create databases; empty when there is none. */
    postgresUrl: string;
    /** Why there is none; empty when there is one. */
    postgresMissing: string;
    /** A Redis whose keys tests prefix with a word of their own; empty when there is none. */
    redisUrl: string;
    /** Why there is none; empty when there is one. */
    redisMissing: string;
    /** Why no test can start a Redis of its own; empty when it can. */
    redisServerMissing: string;
    /** Where test/kafka.ts asks for the run's Kafka, which starts when it is first asked. */
    kafkaDoor: string;
    /** Why there is none; empty when there is one. */
    kafkaMissing: string;
    /** Why no test can start a Kafka of its own; empty when it can. */
    kafkaBrokerMissing: string;
    /** Where test/registry.ts asks for the run's schema registry, which starts when it is first asked. */
    registryDoor: string;
    /** Why there is none; empty when there is one. */
    registryMissing: string;
  }
}

/**
 * Gives every suite one real Postgres and one real Redis, and Kafka and a schema registry to those that ask. Each is what
 * its TEST_* variable names, else a container where Docker runs, else the machine's: an embedded Postgres, redis-server,
 * and Apache Kafka and Apicurio on its Java. A server that does not start is an error; only a machine that has none skips
 * its suites, unless REQUIRE_BACKENDS names it.
 */
export default async function provideBackends(project: TestProject): Promise<() => Promise<void>> {
  await using opening = new AsyncDisposableStack();
  const postgres = await openPostgres();
  opening.defer(postgres.close);
  const redis = await openRedis();
  opening.defer(redis.close);
  project.provide('postgresUrl', postgres.url);
  project.provide('postgresMissing', postgres.missing);
  project.provide('redisUrl', redis.url);
  project.provide('redisMissing', redis.missing);
  project.provide('redisServerMissing', (await findRedisServer()) === null ? noRedisServer : '');
  const kafka = await provideLazily('kafka', await kafkaBackend(dockerRuns), opening);
  project.provide('kafkaDoor', kafka.door);
  project.provide('kafkaMissing', kafka.missing);
  project.provide('kafkaBrokerMissing', (await kafkaBrokerMissing()) ?? '');
  const registry = await provideLazily('registry', await registryBackend(dockerRuns), opening);
  project.provide('registryDoor', registry.door);
  project.provide('registryMissing', registry.missing);
  const opened = opening.move();
  return () => opened.disposeAsync();
}

type Backend = { readonly url: string; readonly missing: string; readonly close: () => Promise<void> };

const nothingToClose = (): Promise<void> => Promise.resolve();

async function openPostgres(): Promise<Backend> {
  const url = process.env.TEST_POSTGRES_URL ?? '';
  if (url !== '') return { url, missing: '', close: nothingToClose };
  if (await dockerRuns()) return inContainer(postgresContainer);
  if ((await findPostgresBinaries()) !== null) return embedded();
  const missing = `no embedded Postgres for ${process.platform} ${process.arch}; set TEST_POSTGRES_URL`;
  return absent('postgres', missing);
}

const noRedisServer = 'no redis-server on PATH; install it, or set TEST_REDIS_URL';

async function openRedis(): Promise<Backend> {
  const url = process.env.TEST_REDIS_URL ?? '';
  if (url !== '') return { url, missing: '', close: nothingToClose };
  if (await dockerRuns()) return inContainer(redisContainer);
  if ((await findRedisServer()) === null) return absent('redis', noRedisServer);
  const server = await startRedisServer();
  return { url: server.url, missing: '', close: () => server.stop() };
}

async function inContainer(open: () => Promise<OpenedBackend>): Promise<Backend> {
  const { address, close } = await open();
  return { url: address, missing: '', close };
}

function absent(name: string, missing: string): Backend {
  if (process.env.REQUIRE_BACKENDS?.split(',').includes(name) === true) throw new Error(missing);
  return { url: '', missing, close: nothingToClose };
}

/** Of what costs seconds and half a gigabyte: it starts when the first suite asks. */
async function provideLazily(name: string, { missing, open }: BackendSource, opening: AsyncDisposableStack) {
  if (missing !== null) absent(name, missing);
  const backend = await lazyBackend(open);
  opening.defer(() => backend.close());
  return { door: backend.door, missing: missing ?? '' };
}

const prefix = 'order-center-test-';

async function embedded(): Promise<Backend> {
  await removeLeftovers();
  const dataDir = await mkdtemp(join(tmpdir(), prefix));
  const postgres = await startEmbeddedPostgres({ dataDir });
  const close = async (): Promise<void> => {
    await postgres.stop();
    await remove(dataDir);
  };
  return { url: postgres.url, missing: '', close };
}

/** A run that was killed leaves its Postgres running. Adopt it and stop it; a run that is alive refuses us. */
async function removeLeftovers(): Promise<void> {
  const folders = (await readdir(tmpdir()))
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(tmpdir(), name));
  const made = folders.filter((dataDir) => existsSync(join(dataDir, 'postgres')));
  await Promise.allSettled(
    made.map(async (dataDir) => {
      await (await startEmbeddedPostgres({ dataDir })).stop();
      await remove(dataDir);
    }),
  );
}

function remove(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
