import { mkdir, open, readFile, truncate, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

export type Ledger<Entry> = {
  /** What earlier lives of the simulator wrote, oldest first. */
  readonly entries: readonly Entry[];
  /** Resolves when the entry is on disk. */
  readonly append: (entry: Entry) => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * Opens a file of JSON lines that survives kill -9. All entries that wait share one write and one fdatasync. A torn
 * last line was never acknowledged, so it is cut off. After a failed write every later append fails as well: what the
 * file holds is unknown until the next start reads it.
 * @throws Error when a line before the last cannot be read, or the file cannot be opened
 */
export async function openLedger<Entry>(path: string): Promise<Ledger<Entry>> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a', 0o600);
  const entries = await readEntries<Entry>(path);
  await syncFolder(dirname(path));
  const writer = groupWriter(file);
  return {
    entries,
    append: (entry) => writer.write(`${JSON.stringify(entry)}\n`),
    close: async () => {
      await writer.settled();
      await file.close();
    },
  };
}

async function readEntries<Entry>(path: string): Promise<readonly Entry[]> {
  const bytes = await readFile(path);
  const end = bytes.lastIndexOf('\n') + 1;
  if (end < bytes.length) await truncate(path, end);
  const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as Entry;
    } catch (cause) {
      throw new Error(`${path}: line ${index + 1} is not JSON`, { cause });
    }
  });
}

/** A new file's name is durable only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync();
  await folder.close();
}

function groupWriter(file: FileHandle) {
  let waiting: string[] = [];
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const flush = async () => {
    const batch = waiting;
    waiting = [];
    next = undefined;
    await file.appendFile(batch.join(''));
    await file.datasync();
  };
  return {
    write: (line: string): Promise<void> => {
      waiting.push(line);
      next ??= last = last.then(flush);
      return next;
    },
    settled: () => last.catch(() => undefined),
  };
}
