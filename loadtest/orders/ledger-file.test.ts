import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

import { openLedgerFile, readLedgerFile } from './ledger-file.ts';
import type { LedgerLine } from './ledger-file.ts';

const line = (number: number): LedgerLine => ({
  tenantId: 'default',
  commandId: `command-${number}`,
  orderId: `order-${number}`,
  version: number,
  status: 201,
});

it('has a line in the file by the time its append resolves, also where many share one write', async () => {
  const path = await ledgerPath();
  const ledger = await openLedgerFile(path);
  const numbers = Array.from({ length: 200 }, (_, index) => index + 1);
  await Promise.all(
    numbers.map(async (number) => {
      await ledger.append(line(number));
      expect(await readFile(path, 'utf8')).toContain(`"command-${number}"`);
    }),
  );
  await ledger.close();
  expect(await readLedgerFile(path)).toEqual(numbers.map(line));
});

it('goes on behind the lines of an earlier run', async () => {
  const path = await ledgerPath();
  for (const number of [1, 2]) {
    const ledger = await openLedgerFile(path);
    await ledger.append(line(number));
    await ledger.close();
  }
  expect(await readLedgerFile(path)).toEqual([line(1), line(2)]);
});

it('leaves out a torn last line: it was never counted', async () => {
  const path = await ledgerPath();
  const ledger = await openLedgerFile(path);
  await ledger.append(line(1));
  await ledger.close();
  await appendFile(path, '{"tenantId":"default","comm');
  expect(await readLedgerFile(path)).toEqual([line(1)]);
});

async function ledgerPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'order-center-ledger-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'ledger.jsonl');
}
