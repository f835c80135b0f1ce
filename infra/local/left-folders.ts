import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { endLeftServer } from './child-server.ts';
import { claimDataDir } from './data-dir.ts';

/** A folder of this run for a server. Those that killed runs left are removed, with the servers that still run there. */
export async function temporaryFolder(prefix: string): Promise<string> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  await Promise.allSettled(names.map((name) => removeLeft(join(tmpdir(), name))));
  return mkdtemp(join(tmpdir(), prefix));
}

/** Rejects for a folder whose owner lives, and for one that another run removes at this moment. */
async function removeLeft(folder: string): Promise<void> {
  const claim = await claimDataDir(folder);
  await endLeftServer(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  await claim.release();
}
