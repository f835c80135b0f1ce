import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { startServing, type ChildServer } from './child-server.ts';
import { findJava } from './find-java.ts';
import { artifactsMissing, fetchArtifacts, type MavenArtifacts } from './maven-cache.ts';
import { openOwnServer, type OwnServer, type Place } from './own-server.ts';

/** A schema registry of our own that speaks Confluent's API (Apicurio). Ids are kept when it is started again. */
export type SchemaRegistry = OwnServer & {
  /** As SCHEMA_REGISTRY_URL takes it, with the path of Confluent's API and no slash at its end. */
  readonly url: string;
};

export type SchemaRegistryOptions = {
  /** A temporary folder if absent. */
  readonly folder?: string;
  /** A free one if absent. */
  readonly port?: number;
  /** Told in one line each what is fetched. */
  readonly say?: (line: string) => void;
};

// The last one that runs on Java 17.
const version = '2.6.13.Final';

const artifacts: MavenArtifacts = {
  name: 'apicurio-registry',
  version,
  pom: 'registry-pom.xml',
  goal: 'unpack-dependencies',
  size: '142 MB',
};

const servesMaxMs = 90_000;
const askMaxMs = 5_000;
const endMaxMs = 10_000;

/** Why no registry can be started here; null: one can. */
export async function schemaRegistryMissing(): Promise<string | null> {
  if ((await findJava()) === null) return 'no Java 17 or newer (JAVA_HOME, or java on PATH) to run a registry on';
  return artifactsMissing(artifacts);
}

/**
 * Starts a registry and waits until it answers. The first on a machine fetches Apicurio (maven-cache.ts).
 * @throws Error where it cannot be fetched or does not start; OperationalFailure DATA_DIR_IN_USE for the folder
 */
export async function startSchemaRegistry(options: SchemaRegistryOptions = {}): Promise<SchemaRegistry> {
  const java = await findJava();
  if (java === null) throw new Error((await schemaRegistryMissing()) ?? '');
  const files = await fetchArtifacts(artifacts, options.say ?? ignore);
  const jar = join(files, `apicurio-registry-app-${version}-runner.jar`);
  const server = await openOwnServer({
    prefix: 'order-center-registry-',
    folder: options.folder,
    port: options.port,
    launch: (place) => launch(java, jar, place),
  });
  return { ...server, url: urlOf(server.port) };
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}/apis/ccompat/v7`;
}

function launch(java: string, jar: string, { folder, port }: Place): Promise<ChildServer> {
  // Its database is in memory by default, and an id that it gave out would be gone, or another's, after a kill.
  const database = `jdbc:h2:file:${join(folder, 'registry')};WRITE_DELAY=0`;
  return startServing(
    {
      program: java,
      args: [
        ...['-Xmx300m', '-XX:TieredStopAtLevel=1', `-Dquarkus.datasource.jdbc.url=${database}`],
        ...['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`, '-jar', jar],
      ],
      folder,
      endMaxMs,
    },
    () => untilServes(port),
  );
}

async function untilServes(port: number): Promise<string | null> {
  const deadline = performance.now() + servesMaxMs;
  while (performance.now() < deadline) {
    const answer = await fetch(`${urlOf(port)}/subjects`, { signal: AbortSignal.timeout(askMaxMs) }).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok === true) return null;
    await pause(100);
  }
  return `does not answer within ${servesMaxMs} ms`;
}

function ignore(): void {
  // Nobody listens.
}
