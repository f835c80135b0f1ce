import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { endLeftServer } from './child-server.ts';
import { claimDataDir } from './data-dir.ts';
import { identify } from './process-identity.ts';

/** A folder of this run for a server. Those that killed runs left are removed, with the servers that still run there. */
export async function temporaryFolder(prefix: string): Promise<string> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  const left = names.filter((name) => identify(makerOf(name, prefix)) === null);
  await Promise.allSettled(left.map((name) => remove(join(tmpdir(), name))));
  return mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
}

/** A folder that is made and not claimed yet has a living maker. */
function makerOf(name: string, prefix: string): number {
  return Number(/^\d+/.exec(name.slice(prefix.length))?.[0] ?? process.pid);
}

/** Rejects for a folder that another run removes at this moment. */
async function remove(folder: string): Promise<void> {
  const claim = await claimDataDir(folder);
  await endLeftServer(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  await claim.release();
}
