import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { endLeftServer, startChildServer, type ChildServer } from './child-server.ts';
import { claimDataDir } from './data-dir.ts';
import { findJava } from './find-java.ts';
import { freePort } from './free-port.ts';
import { untilKafkaServes } from './kafka-serves.ts';
import { temporaryFolder } from './left-folders.ts';
import { artifactsMissing, fetchArtifacts, type MavenArtifacts } from './maven-cache.ts';

/** An Apache Kafka of our own on loopback: one process, broker and controller (KRaft). It makes no topic unasked. */
export type KafkaBroker = {
  /** As clients take it: `127.0.0.1:port`. */
  readonly brokers: string;
  readonly port: number;
  pid(): number;
  /** Resolves with how the one that runs now ended, whoever ended it. */
  exited(): Promise<string>;
  /** SIGKILL, as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
  /** After an end: on the same port, with all that it had. Resolves when it serves. */
  startAgain(): Promise<void>;
  /** Ends it for good, and removes its folder where that was its own choice. Repeatable. */
  stop(): Promise<void>;
};

export type KafkaBrokerOptions = {
  /** Where its logs are kept; a temporary folder of its own if absent. */
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
// A broker without its controller ends slowly by itself; ours end together.
const endMaxMs = 15_000;
const startsMax = 3;

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
  const folder = options.folder ?? (await temporaryFolder('order-center-kafka-'));
  const claim = await claimDataDir(folder);
  const program: Program = { java, classPath: join(jars, '*'), folder: claim.dataDir };
  try {
    await endLeftServer(claim.dataDir);
    const { server, port } = await firstStart(program, options);
    return broker({ program, options: { ...options, port }, port, first: server, release: () => claim.release() });
  } catch (error) {
    await claim.release();
    throw error;
  }
}

type Program = { readonly java: string; readonly classPath: string; readonly folder: string };
type Started = { readonly server: ChildServer; readonly port: number };

/** A port that was free a moment ago may be taken by now: then once more with others. */
async function firstStart(program: Program, options: KafkaBrokerOptions): Promise<Started> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    try {
      return { server: await launch(program, { ...options, port }), port };
    } catch (error) {
      if (options.port !== undefined || attempt >= startsMax) throw error;
    }
  }
}

type Running = {
  readonly program: Program;
  readonly options: KafkaBrokerOptions & { readonly port: number };
  readonly port: number;
  readonly first: ChildServer;
  readonly release: () => Promise<void>;
};

function broker({ program, options, port, first, release }: Running): KafkaBroker {
  let server = first;
  return {
    brokers: `127.0.0.1:${options.advertisedPort ?? port}`,
    port,
    pid: () => server.pid,
    exited: () => server.exited,
    kill: () => server.end('SIGKILL'),
    startAgain: async () => {
      server = await launch(program, options);
    },
    stop: async () => {
      await server.end('SIGTERM');
      await release();
      if (options.folder === undefined) await rm(program.folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function launch(
  { java, classPath, folder }: Program,
  { port, advertisedPort = port, settings = {} }: Running['options'],
): Promise<ChildServer> {
  const properties = join(folder, 'server.properties');
  const lines = { ...(await ourSettings({ folder, port, advertisedPort })), ...settings };
  await mkdir(folder, { recursive: true });
  await writeFile(properties, Object.entries(lines).map(([name, value]) => `${name}=${value}\n`).join('')); // prettier-ignore
  const args = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Djava.awt.headless=true', '-cp', classPath];
  await format(java, args, { folder, properties });
  const server = await startChildServer({
    program: java,
    args: ['-Xmx512m', '-XX:+ExitOnOutOfMemoryError', ...args, 'kafka.Kafka', properties],
    folder,
    endMaxMs,
  });
  const ended = server.exited.then((how) => `ended at its start (${how})`);
  const problem = await Promise.race([untilKafkaServes(`127.0.0.1:${port}`), ended]);
  if (problem === null) return server;
  await server.end('SIGKILL');
  throw new Error(`Kafka ${problem}: ${await server.lastWords()}`);
}

type Formatted = { readonly folder: string; readonly properties: string };

/** Once a folder. A format that was killed half way is done again. */
async function format(java: string, args: readonly string[], { folder, properties }: Formatted): Promise<void> {
  const marks = ['meta.properties', 'bootstrap.checkpoint'];
  if (marks.every((mark) => existsSync(join(logsOf(folder), mark)))) return;
  // As StorageTool random-uuid, without a Java for it; the tool takes a leading dash for an option.
  const id = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const tool = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', id, '-c', properties];
  await promisify(execFile)(java, [...args, ...tool], { timeout: formatMaxMs, killSignal: 'SIGKILL' });
}

function logsOf(folder: string): string {
  return join(folder, 'logs');
}

type Address = { readonly folder: string; readonly port: number; readonly advertisedPort: number };

async function ourSettings({ folder, port, advertisedPort }: Address): Promise<Readonly<Record<string, string>>> {
  const controller = await freePort();
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertisedPort}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': logsOf(folder),
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
