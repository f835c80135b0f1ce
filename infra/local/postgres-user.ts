import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

import { OperationalFailure } from '../failures.ts';

/**
 * As whom the Postgres programs run: `prefix` comes before the program, `ids` go to spawn. When `ids` is not empty, a
 * folder that Postgres shall own must be given to that user first.
 */
export type PostgresUser = {
  readonly prefix: readonly string[];
  readonly ids: { readonly uid: number; readonly gid: number } | Record<string, never>;
};

/** The program and arguments to spawn, together with `user.ids`, so that `program` runs as that user. */
export function commandAs(
  user: PostgresUser,
  program: string,
  args: readonly string[],
): { readonly program: string; readonly args: readonly string[] } {
  const [first, ...prefix] = user.prefix;
  return first === undefined ? { program, args } : { program: first, args: [...prefix, program, ...args] };
}

const ourselves: PostgresUser = { prefix: [], ids: {} };

// A user namespace in which root is called nobody. Files stay root's, so no chown and no new user are needed, and
// folders with mode 0700 stay open to it. `unshare` replaces itself by the program: pid and signals are the program's.
const rootCalledNobody: PostgresUser = {
  prefix: ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--'],
  ids: {},
};

/**
 * Postgres refuses to run as root, so root looks for somebody else who can reach both the programs and the data.
 * @param cluster the cluster's folder; when it exists, its owner runs it
 * @throws OperationalFailure POSTGRES_START_FAILED when nobody can
 */
export async function choosePostgresUser(options: {
  readonly postgres: string;
  readonly dataDir: string;
  readonly cluster: string;
}): Promise<PostgresUser> {
  if (process.getuid?.() !== 0) return ourselves;
  const owner = await stat(options.cluster).catch(() => null);
  const candidates = owner === null ? [rootCalledNobody, ...(await systemUsers())] : [ownerOf(owner)];
  for (const candidate of candidates) {
    if (await canRun(candidate, options)) return candidate;
  }
  const detail =
    'Postgres does not run as root, and no other user can reach both its programs and the data folder; ' +
    'start as another user, open the folders above them, or set EVENT_STORE_URL to a Postgres of your own';
  throw new OperationalFailure('POSTGRES_START_FAILED', detail, { retryable: false });
}

function ownerOf({ uid, gid }: { readonly uid: number; readonly gid: number }): PostgresUser {
  return uid === 0 ? rootCalledNobody : { prefix: [], ids: { uid, gid } };
}

async function systemUsers(): Promise<readonly PostgresUser[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  return ['postgres', 'nobody'].flatMap((name) => {
    const [, , uid, gid] = lines.find((line) => line[0] === name) ?? [];
    return Number(uid) > 0 ? [{ prefix: [], ids: { uid: Number(uid), gid: Number(gid) } }] : [];
  });
}

const probeTimeoutMs = 10_000;

async function canRun(
  user: PostgresUser,
  { postgres, dataDir }: { readonly postgres: string; readonly dataDir: string },
): Promise<boolean> {
  const probe = commandAs(user, 'sh', ['-c', 'cd "$0" && exec "$1" --version', dataDir, postgres]);
  const outcome = promisify(execFile)(probe.program, probe.args, { cwd: '/', timeout: probeTimeoutMs, ...user.ids });
  return outcome.then(
    () => true,
    () => false,
  );
}
