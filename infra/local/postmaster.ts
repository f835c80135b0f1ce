import { spawn } from 'node:child_process';
import { open, readFile, readlink, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { postgresEnvironment, startFailed } from './postgres-cluster.ts';
import type { PostgresCluster } from './postgres-cluster.ts';
import { commandAs } from './postgres-user.ts';
import { identify, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { rotateLog } from './rotate-log.ts';

/** How a Postgres ended. Both are null for one that was not our child: only its own parent learns them. */
export type PostgresExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A Postgres that accepts connections on 127.0.0.1. */
export type Postmaster = {
  readonly identity: ProcessIdentity;
  readonly port: number;
  readonly exited: Promise<PostgresExit>;
};

export type PostgresSettings = Readonly<Record<string, string>>;

// Recovery after a crash replays at most max_wal_size (1 GB); 30 s is the bound of every start.
const readyTimeoutMs = 30_000;
const fastShutdownMs = 10_000;
// Postgres itself kills its children after 5 s of an immediate shutdown.
const immediateShutdownMs = 10_000;
const adoptedPollMs = 200;
// The port may be taken between choosing and binding; a backend of a killed Postgres lives until its query ends. Each
// of those launches fails within some 50 ms, so together they wait about 10 s.
const launchesMax = 40;
const relaunchAfterMs = 200;
const passingReasons = /could not bind|could not create any TCP|pre-existing shared memory block/;

/**
 * Takes over the Postgres that a dead owner left behind on this cluster. One with other settings, or one that does
 * not get ready, is stopped. Needs the claim on the data folder.
 * @returns null when none is left
 */
export async function adoptPostmaster(
  cluster: PostgresCluster,
  settings: PostgresSettings,
): Promise<Postmaster | null> {
  const left = await readPidFile(cluster);
  if (left === null) return null;
  const identity = identify(left.pid);
  if (identity === null || !(await worksIn(identity, cluster.folder))) {
    // Postgres would take a zombie, or a stranger that got the number, for its twin. The memory that backends of a
    // killed Postgres still share it finds by the folder's inode, with or without this file.
    await rm(join(cluster.folder, 'postmaster.pid'), { force: true });
    return null;
  }
  const port = await becomesReady(cluster, identity);
  if (port !== null && (await hasSettings(cluster, settings))) {
    return { identity, port, exited: pollForExit(identity) };
  }
  if (await endPostmaster(identity)) return null;
  throw startFailed(`the Postgres of an earlier run (process ${identity.pid}) does not stop`);
}

/**
 * Starts Postgres in a process group of its own: Ctrl-C reaches only us, and we stop it last.
 * @param port where its clients know it; a free one if absent
 * @throws OperationalFailure POSTGRES_START_FAILED with the reason from its log
 */
export async function launchPostmaster(
  cluster: PostgresCluster,
  settings: PostgresSettings,
  port?: number,
): Promise<Postmaster> {
  await rotateLog(cluster.logFile);
  for (let attempt = 1; ; attempt += 1) {
    const launched = await launchOnce(cluster, settings, port);
    if (!('reason' in launched)) return launched;
    if (attempt === launchesMax || !passingReasons.test(launched.reason)) throw startFailed(launched.reason);
    await pause(relaunchAfterMs);
  }
}

/** Fast shutdown, then an immediate one. @returns false when it runs even after that */
export async function endPostmaster(identity: ProcessIdentity): Promise<boolean> {
  return (await endsAfter(identity, 'SIGINT', fastShutdownMs)) || endsAfter(identity, 'SIGQUIT', immediateShutdownMs);
}

type Failed = { readonly reason: string };

async function launchOnce(
  cluster: PostgresCluster,
  settings: PostgresSettings,
  wantedPort: number | undefined,
): Promise<Postmaster | Failed> {
  const log = await open(cluster.logFile, 'a', 0o600);
  try {
    const { size } = await log.stat();
    const wanted = [...settingsArguments(cluster, settings), '-p', String(wantedPort ?? (await freePort()))];
    const { program, args } = commandAs(cluster.user, cluster.binary, wanted);
    const child = spawn(program, args, {
      ...cluster.user.ids,
      cwd: '/',
      detached: true,
      env: postgresEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
    });
    child.unref();
    const spawnErrors: string[] = [];
    const exited = new Promise<PostgresExit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', (error) => {
        spawnErrors.push(error.message);
        resolve({ code: null, signal: null });
      });
    });
    const identity = child.pid === undefined ? null : identify(child.pid);
    const port = identity === null ? null : await becomesReady(cluster, identity);
    if (identity !== null && port !== null) return { identity, port, exited };
    if (identity !== null) await endPostmaster(identity);
    return { reason: spawnErrors[0] ?? (await reasonFromLog(cluster.logFile, size)) };
  } finally {
    await log.close();
  }
}

function settingsArguments(cluster: PostgresCluster, settings: PostgresSettings): readonly string[] {
  const all = { ...defaults, ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
  return ['-D', cluster.folder, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

// Sized for a laptop: idle memory counts, and the operating system's cache holds the rest.
const defaults: PostgresSettings = {
  fsync: 'on',
  synchronous_commit: 'on',
  max_connections: '100',
  shared_buffers: '64MB',
  // Two helper processes fewer: reads go straight to the file, and nobody subscribes here.
  io_method: 'sync',
  max_logical_replication_workers: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** Postgres notes its arguments beside its data; all but the port, which is last, must be what we would give now. */
async function hasSettings(cluster: PostgresCluster, settings: PostgresSettings): Promise<boolean> {
  const noted = await readFile(join(cluster.folder, 'postmaster.opts'), 'utf8').catch(() => '');
  const quoted = settingsArguments(cluster, settings).map((argument) => `"${argument}"`);
  return noted.startsWith([cluster.binary, ...quoted, '"-p"'].join(' '));
}

/** @returns its port, or null when it ends before or takes too long */
async function becomesReady(cluster: PostgresCluster, identity: ProcessIdentity): Promise<number | null> {
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline && isRunning(identity)) {
    const file = await readPidFile(cluster);
    if (file?.pid === identity.pid && file.status === 'ready') return file.port;
    await pause(5);
  }
  return null;
}

type PidFile = { readonly pid: number; readonly port: number; readonly status: string };

/** Postgres writes it line by line while it starts: pid, folder, start time, port, sockets, address, memory, status. */
async function readPidFile(cluster: PostgresCluster): Promise<PidFile | null> {
  const text = await readFile(join(cluster.folder, 'postmaster.pid'), 'utf8').catch(() => null);
  if (text === null) return null;
  const [pid, , , port, , , , status] = text.split('\n');
  return Number(pid) > 0 ? { pid: Number(pid), port: Number(port), status: status?.trim() ?? '' } : null;
}

/** A Postgres works in its cluster's folder. Where the system does not tell, the pid file is believed. */
async function worksIn({ pid }: ProcessIdentity, folder: string): Promise<boolean> {
  return (await readlink(`/proc/${pid}/cwd`).catch(() => folder)) === folder;
}

async function pollForExit(identity: ProcessIdentity): Promise<PostgresExit> {
  while (isRunning(identity)) await pause(adoptedPollMs, undefined, { ref: false });
  return { code: null, signal: null };
}

async function endsAfter(identity: ProcessIdentity, signal: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  if (isRunning(identity)) process.kill(identity.pid, signal);
  while (isRunning(identity)) {
    if (performance.now() > deadline) return false;
    await pause(5);
  }
  return true;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The FATAL line with its DETAIL, or else the last line that was written since this start. */
async function reasonFromLog(logFile: string, from: number): Promise<string> {
  const lines = (await readFile(logFile)).subarray(from).toString().trim().split('\n');
  const telling = lines.filter((line) => /(FATAL|PANIC|DETAIL|HINT|could not bind|could not create):? /.test(line));
  const reason = telling.map((line) => line.replace(/^.*?(FATAL|PANIC|DETAIL|HINT|WARNING|LOG): +/, '')).join(' ');
  return reason === '' ? (lines.at(-1) ?? '') : reason;
}
