import { execFile } from 'node:child_process';
import { cp, lstat, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

/** How many sources at most: far above what is here, and below what a mistaken .gitignore would bring. */
const sourcesMax = 20_000;
const gitTimeoutMs = 60_000;

/** The sources in a folder of their own, as they are in the working tree. */
export type SourcesCopy = {
  readonly folder: string;
  remove(): Promise<void>;
};

/** Copies what git tracks and what it would track; packages are shared with the original. */
export async function copySources(): Promise<SourcesCopy> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'order-center-planted-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    for (const path of await sourcePaths()) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await cp(join(root, path), join(folder, path), { verbatimSymlinks: true });
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** @returns why the patch does not apply exactly: the sources went on without it; null where it is applied */
export async function applyPatch({ folder }: SourcesCopy, name: string): Promise<string | null> {
  const patch = join(import.meta.dirname, 'patches', `${name}.patch`);
  // The copy is no repository, also where the temporary folder is inside of one.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(folder) };
  try {
    await run('git', ['apply', '--whitespace=nowarn', patch], { cwd: folder, env, timeout: gitTimeoutMs });
    return null;
  } catch (error) {
    return stderrOf(error);
  }
}

async function sourcePaths(): Promise<readonly string[]> {
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    timeout: gitTimeoutMs,
    maxBuffer: 16 * 1024 * 1024,
  });
  const listed = stdout.split('\0').filter((path) => path !== '');
  if (listed.length > sourcesMax) throw new Error(`${listed.length} sources, at most ${sourcesMax}`);
  // What was deleted and not committed yet is still listed.
  const there = await Promise.all(listed.map((path) => exists(join(root, path))));
  return listed.filter((_, index) => there[index]);
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

function stderrOf(error: unknown): string {
  const { stderr } = error as { readonly stderr?: string };
  return stderr?.trim().split('\n')[0] ?? String(error);
}
