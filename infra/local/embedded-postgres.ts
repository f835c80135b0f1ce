import pg from 'pg';

import { claimDataDir, dataDirUnusable } from './data-dir.ts';
import type { DataDirClaim } from './data-dir.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { openPostgresCluster, startFailed, superuser } from './postgres-cluster.ts';
import type { PostgresCluster } from './postgres-cluster.ts';
import { adoptPostmaster, endPostmaster, launchPostmaster } from './postmaster.ts';
import type { PostgresExit, PostgresSettings, Postmaster } from './postmaster.ts';

/** A PostgreSQL that accepts connections on 127.0.0.1, with the database `order_center`. */
export type EmbeddedPostgres = {
  /** `postgres://user:password@127.0.0.1:port/order_center`; the user is superuser and owner. */
  readonly url: string;
  /** Of the Postgres that runs now: one that dies is started again on the same port. */
  readonly pid: number;
  /** Resolves when Postgres has ended for good: stopped, or dead too often; null code and signal where an earlier run had started it. */
  readonly exited: Promise<PostgresExit>;
  /** Fast shutdown, after 10 s an immediate one; then the data folder is free again. Close pools before. Repeatable. */
  stop(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** Our DATA_DIR; the cluster is in `<dataDir>/postgres`, its log in `<dataDir>/postgres.log`. */
  readonly dataDir: string;
  readonly log?: (line: string) => void;
  /** Postgres settings beside ours, as `{ wal_level: 'logical' }`. */
  readonly settings?: PostgresSettings;
};

/**
 * Claims the data folder, makes the cluster when there is none, and starts Postgres on a free port; or adopts the
 * Postgres that a killed owner left behind. It outlives a killed owner in turn, and keeps no event loop alive.
 * @throws OperationalFailure DATA_DIR_UNUSABLE, DATA_DIR_IN_USE (names the pid), POSTGRES_START_FAILED
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const claim = await claimDataDir(options.dataDir);
  try {
    const cluster = await openCluster(claim.dataDir);
    const { postmaster, url } = await adoptOrLaunch(cluster, options);
    return supervised({ postmaster, url, claim, cluster, options });
  } catch (error) {
    await claim.release();
    throw dataDirUnusable(claim.dataDir, error);
  }
}

const database = 'order_center';

async function openCluster(dataDir: string): Promise<PostgresCluster> {
  const binaries = await findPostgresBinaries();
  if (binaries !== null) return openPostgresCluster(dataDir, binaries);
  throw startFailed(`there are no binaries for ${process.platform} ${process.arch}; set EVENT_STORE_URL`);
}

type Started = { readonly postmaster: Postmaster; readonly url: string };

async function adoptOrLaunch(cluster: PostgresCluster, options: EmbeddedPostgresOptions): Promise<Started> {
  const { log = ignore, settings = {} } = options;
  const adopted = await adoptPostmaster(cluster, settings);
  if (adopted !== null) {
    try {
      const url = await openDatabase(cluster, adopted);
      log(`adopted Postgres ${adopted.identity.pid} of an earlier run on port ${adopted.port}`);
      return { postmaster: adopted, url };
    } catch {
      log(`Postgres ${adopted.identity.pid} of an earlier run does not answer; starting another`);
      await endPostmaster(adopted.identity);
    }
  }
  const postmaster = await launchPostmaster(cluster, settings);
  try {
    const url = await openDatabase(cluster, postmaster);
    log(`started Postgres ${postmaster.identity.pid} on port ${postmaster.port}`);
    return { postmaster, url };
  } catch (error) {
    await endPostmaster(postmaster.identity);
    throw startFailed(error instanceof Error ? error.message : String(error), error);
  }
}

/** Proves that Postgres answers, and makes the database when it is missing. @returns its url */
async function openDatabase(cluster: PostgresCluster, { port }: Postmaster): Promise<string> {
  const urlOf = (name: string): string => `postgres://${superuser}:${cluster.password}@127.0.0.1:${port}/${name}`;
  const url = urlOf(database);
  try {
    await execute(url, 'select 1');
  } catch (error) {
    const isMissing = (error as { readonly code?: string }).code === '3D000';
    if (!isMissing) throw error;
    await execute(urlOf('postgres'), `create database ${database}`);
  }
  return url;
}

async function execute(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, query_timeout: 10_000 });
  // A connection that breaks outside a query says so by an event, and unheard it would end the process.
  client.on('error', ignore);
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end().catch(ignore);
  }
}

/** A Postgres that dies more often than this in a minute has a reason that a start does not mend. */
const restartsMax = 5;
const restartsWindowMs = 60_000;

type Supervision = {
  readonly postmaster: Postmaster;
  readonly url: string;
  readonly claim: DataDirClaim;
  readonly cluster: PostgresCluster;
  readonly options: EmbeddedPostgresOptions;
};

function supervised({ postmaster, url, claim, cluster, options }: Supervision): EmbeddedPostgres {
  const { log = ignore, settings = {} } = options;
  let current = postmaster;
  let stopping: Promise<void> | undefined;
  let restarts: readonly number[] = [];
  const isStopping = (): boolean => stopping !== undefined;

  const watch = async (): Promise<PostgresExit> => {
    for (;;) {
      const exit = await current.exited;
      restarts = [...restarts.filter((at) => performance.now() - at < restartsWindowMs), performance.now()];
      if (isStopping() || restarts.length > restartsMax) return exit;
      log(`Postgres ${current.identity.pid} died (${exit.signal ?? `code ${exit.code}`}); starting it again`);
      try {
        // The same port: every connection string in every process stays true. What the dead one left is cleared first.
        current =
          (await adoptPostmaster(cluster, settings)) ?? (await launchPostmaster(cluster, settings, current.port));
        if (isStopping()) await endPostmaster(current.identity);
      } catch (error) {
        log(error instanceof Error ? error.message : String(error));
        return exit;
      }
    }
  };
  const exited = watch();

  const stop = async (): Promise<void> => {
    const ended = await endPostmaster(current.identity);
    if (!ended) log(`Postgres ${current.identity.pid} does not stop; the next start tries again`);
    if (ended) await untilSeen(exited);
    await claim.release();
  };
  return {
    url,
    get pid() {
      return current.identity.pid;
    },
    exited,
    stop: () => (stopping ??= stop()),
  };
}

/** The watch on Postgres keeps no event loop alive, so while we wait for it something else must. */
async function untilSeen(exited: Promise<PostgresExit>): Promise<void> {
  const alive = setInterval(ignore, 1_000);
  await exited;
  clearInterval(alive);
}

function ignore(): void {
  // Nobody listens.
}
