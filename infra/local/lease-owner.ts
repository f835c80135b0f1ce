import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Leaves the name under which this process holds leases in the data folder, for the next one.
 * @param claimed a data folder that this process has claimed: whoever left a name there before is dead
 * @returns the name that was there, null where there was none
 */
export async function exchangeLeaseOwner(claimed: string, owner: string): Promise<string | null> {
  const file = join(claimed, 'lease-owner');
  const former = await readFile(file, 'utf8').catch(() => null);
  const draft = `${file}.draft`;
  await writeFile(draft, owner, { mode: 0o600 });
  await rename(draft, file);
  return former === '' ? null : former;
}
