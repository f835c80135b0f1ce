import { open, readFile } from 'node:fs/promises';

/** One acknowledged answer, as `order-center verify --ledger` reads it. */
export type LedgerLine = {
  readonly tenantId: string;
  readonly commandId: string;
  readonly orderId: string;
  readonly version: number;
  readonly status: number;
};

export type LedgerFile = {
  readonly path: string;
  /** Resolves when the line is on disk; only then does the answer count as acknowledged. */
  readonly append: (line: LedgerLine) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Lines that wait share one write and one fdatasync, so that the ledger never sets the pace. */
export async function openLedgerFile(path: string): Promise<LedgerFile> {
  const file = await open(path, 'a', 0o600);
  let waiting: string[] = [];
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    next = undefined;
    await file.appendFile(batch.join(''));
    await file.datasync();
  };
  return {
    path,
    append: ({ tenantId, commandId, orderId, version, status }) => {
      waiting.push(`${JSON.stringify({ tenantId, commandId, orderId, version, status })}\n`);
      next ??= last = last.then(flush);
      return next;
    },
    close: async () => {
      await last.catch(() => undefined);
      await file.close();
    },
  };
}

/** What is on disk. A torn last line was never counted, so it is left out. */
export async function readLedgerFile(path: string): Promise<readonly LedgerLine[]> {
  return readJsonLines(path);
}

/** @throws SyntaxError where a line before a torn last one is not JSON */
export async function readJsonLines<Line>(path: string): Promise<readonly Line[]> {
  const text = await readFile(path, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
