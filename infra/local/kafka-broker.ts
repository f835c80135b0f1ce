import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { startServing, type ChildServer } from './child-server.ts';
import { findJava } from './find-java.ts';
import { freePort } from './free-port.ts';
import { untilKafkaServes } from './kafka-serves.ts';
import { artifactsMissing, fetchArtifacts, type MavenArtifacts } from './maven-cache.ts';
import { openOwnServer, type OwnServer, type Place } from './own-server.ts';

/**
 * An Apache Kafka of our own: one process, broker and controller (KRaft). It makes no topic unasked, and has what it
 * had when it is started again.
 */
export type KafkaBroker = OwnServer & {
  /** As clients take it: `127.0.0.1:port`. */
  readonly brokers: string;
};

export type KafkaBrokerOptions = {
  /** Where its logs are kept; a temporary folder if absent. */
  readonly folder?: string;
  /** A free one if absent. */
  readonly port?: number;
  /** Where clients reach it when that is not its own port: a proxy on loopback that leads there. */
  readonly advertisedPort?: number;
  /** Lines of server.properties beside ours, as `{ 'log.retention.ms': '1000' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told in one line each what is fetched. */
  readonly say?: (line: string) => void;
};

export const kafkaVersion = '4.1.0';

const artifacts: MavenArtifacts = {
  name: 'kafka',
  version: kafkaVersion,
  pom: 'kafka-pom.xml',
  goal: 'copy-dependencies',
  size: '43 MB',
};

const formatMaxMs = 60_000;
const endMaxMs = 15_000;

/** Why no broker can be started here; null: one can. */
export async function kafkaBrokerMissing(): Promise<string | null> {
  if ((await findJava()) === null) return 'no Java 17 or newer (JAVA_HOME, or java on PATH) to run Apache Kafka on';
  return artifactsMissing(artifacts);
}

/**
 * Starts a broker and waits until it serves topics and consumer groups; one that a killed owner of the folder left
 * behind is ended first. The first on a machine fetches Kafka (maven-cache.ts).
 * @throws Error where it cannot be fetched or does not start; OperationalFailure DATA_DIR_IN_USE for the folder
 */
export async function startKafkaBroker(options: KafkaBrokerOptions = {}): Promise<KafkaBroker> {
  const java = await findJava();
  if (java === null) throw new Error((await kafkaBrokerMissing()) ?? '');
  const jars = await fetchArtifacts(artifacts, options.say ?? ignore);
  const program = { java, classPath: join(jars, '*') };
  const server = await openOwnServer({
    prefix: 'order-center-kafka-',
    folder: options.folder,
    port: options.port,
    launch: (place) => launch(program, place, options),
  });
  return { ...server, brokers: `127.0.0.1:${options.advertisedPort ?? server.port}` };
}

type Program = { readonly java: string; readonly classPath: string };

async function launch(program: Program, place: Place, options: KafkaBrokerOptions): Promise<ChildServer> {
  const properties = join(place.folder, 'server.properties');
  const lines = { ...(await ourSettings(place, options.advertisedPort ?? place.port)), ...options.settings };
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(properties, text.join(''));
  const { java, classPath } = program;
  const args = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Djava.awt.headless=true', '-cp', classPath];
  if (!isFormatted(place.folder)) await format(java, [...args], properties);
  return startServing(
    {
      program: java,
      args: ['-Xmx512m', '-XX:+ExitOnOutOfMemoryError', ...args, 'kafka.Kafka', properties],
      folder: place.folder,
      endMaxMs,
    },
    () => untilKafkaServes(`127.0.0.1:${place.port}`),
  );
}

/** A format that was killed half way is done again. */
function isFormatted(folder: string): boolean {
  return ['meta.properties', 'bootstrap.checkpoint'].every((mark) => existsSync(join(logsOf(folder), mark)));
}

async function format(java: string, args: readonly string[], properties: string): Promise<void> {
  // As StorageTool random-uuid, without a Java for it; the tool takes a leading dash for an option.
  const id = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const tool = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', id, '-c', properties];
  await promisify(execFile)(java, [...args, ...tool], { timeout: formatMaxMs, killSignal: 'SIGKILL' });
}

function logsOf(folder: string): string {
  return join(folder, 'logs');
}

async function ourSettings(place: Place, advertisedPort: number): Promise<Readonly<Record<string, string>>> {
  const controller = await freePort();
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${place.port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertisedPort}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': logsOf(place.folder),
    // One broker: no topic has a second copy, and a group need not wait for members on their way.
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    // Started again after a kill it waits until the controller gave up on the one before: 9 s by default.
    'broker.session.timeout.ms': '5000',
    'broker.heartbeat.interval.ms': '500',
    // A topic is made on purpose, with the partitions that its order needs; a misspelled name is an error.
    'auto.create.topics.enable': 'false',
  };
}

function ignore(): void {
  // Nobody listens.
}
