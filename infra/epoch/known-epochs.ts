import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Which event store was found where, by a data folder's own memory: `{"embedded:": "<epoch>"}`, or a Postgres by its
 * host and database. It outlives a database that is dropped, and tells an emptied store from a first start.
 */
export type KnownEpochs = Readonly<Record<string, string>>;

const file = 'event-stores.json';

/**
 * How a data folder calls the store at a URL: without the user and the password.
 * @returns null where nothing outlives the process
 */
export function storeLocation(eventStoreUrl: string): string | null {
  if (eventStoreUrl.startsWith('memory:')) return null;
  if (eventStoreUrl === 'embedded:') return eventStoreUrl;
  const { hostname, port, pathname } = new URL(eventStoreUrl);
  return `postgres://${hostname}:${port || '5432'}${pathname}`;
}

/** What cannot be read is not known: the file is a witness, and no store. */
export async function readKnownEpochs(dataDir: string): Promise<KnownEpochs> {
  const text = await readFile(join(dataDir, file), 'utf8').catch(() => '{}');
  try {
    const known: unknown = JSON.parse(text);
    const entries = Object.entries(known ?? {}).filter(([, epoch]) => typeof epoch === 'string');
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}

/** Writes only where something is new; the file appears whole. The folder must be claimed. */
export async function rememberEpoch(dataDir: string, location: string, epoch: string): Promise<void> {
  const known = await readKnownEpochs(dataDir);
  if (known[location] === epoch) return;
  const path = join(dataDir, file);
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify({ ...known, [location]: epoch }, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, path);
}
