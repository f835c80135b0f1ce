import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = join(import.meta.dirname, 'installed');
const require = createRequire(join(folder, 'package.json'));

/** Installs the peers from their own lockfile, once: nobody but this row of the bench needs them. */
export function installPeers(say: (line: string) => void): void {
  if (existsSync(join(folder, 'node_modules', 'evtstore'))) return;
  say('  installing the peers from the npm registry (18 MB, once)');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder, stdio: 'ignore' });
}

/** A module of an installed peer. The compiler cannot see it, for a checkout has it only after a bench: its user says its shape. */
export async function importPeer<Module>(specifier: string): Promise<Module> {
  return (await import(pathToFileURL(require.resolve(specifier)).href)) as Module;
}

/** A file in the package of an installed peer. */
export function peerFile(...path: readonly string[]): string {
  return join(folder, 'node_modules', ...path);
}
