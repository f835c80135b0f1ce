import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

import { openHttpClient } from './http-client.ts';
import { startPlacing } from './ledger-client.ts';
import type { PlacingReport } from './ledger-client.ts';
import { openLedgerFile, readLedgerFile } from './ledger-file.ts';
import type { LedgerLine } from './ledger-file.ts';
import { placements } from './order-bodies.ts';
import { seededRandom } from './seeded-random.ts';
import { openTestShop } from './test-shop.ts';
import type { TestShop, Trouble } from './test-shop.ts';

it('writes each acknowledged answer once, whatever the order of answers', async () => {
  const { report, ledger } = await placed({ count: 50, trouble: () => null });
  expect(report).toMatchObject({ acked: 50, ambiguous: 0, replayed: 0, unresolved: [], refused: [] });
  expect(ledger.map(({ commandId }) => commandId).sort()).toEqual(commandIds(50).sort());
  expect(ledger[0]).toEqual({
    tenantId: 'default',
    commandId: ledger[0]?.commandId,
    orderId: `order of ${ledger[0]?.commandId}`,
    version: 1,
    status: 201,
  });
});

it('asks again with the same key when the answer was lost, and counts the replay as acknowledged', async () => {
  const { report, ledger, shop } = await placed({
    count: 3,
    trouble: (_key, attempt) => (attempt === 1 ? 'forgotten' : null),
  });
  expect(report).toMatchObject({ acked: 3, ambiguous: 3, replayed: 3, unresolved: [] });
  expect(ledger).toHaveLength(3);
  expect([...shop.keys].sort()).toEqual([...commandIds(3), ...commandIds(3)].sort());
});

it('asks again when the system is unavailable, without taking that for an unknown outcome', async () => {
  const { report } = await placed({ count: 2, trouble: (_key, attempt) => (attempt === 1 ? 503 : null) });
  expect(report).toMatchObject({ acked: 2, ambiguous: 0, errors: new Map([['STORE_UNAVAILABLE', 2]]) });
});

it('does not ask again after a refusal, and writes no line for it', async () => {
  const { report, ledger, shop } = await placed({ count: 1, trouble: () => 422 });
  expect(report.refused.map(({ reason }) => reason)).toEqual(['TOTAL_MISMATCH']);
  expect(report.acked).toBe(0);
  expect(ledger).toEqual([]);
  expect(shop.keys).toHaveLength(1);
});

it('gives up when its time is over, and says what was left unresolved', async () => {
  const { report, ledger } = await placed({ count: 2, trouble: () => 'forgotten', retryForMs: 0 });
  expect(report.unresolved.map(({ reason }) => reason)).toEqual(['ECONNRESET', 'ECONNRESET']);
  expect(report).toMatchObject({ acked: 0, ambiguous: 2 });
  expect(ledger).toEqual([]);
});

type Given = {
  readonly count: number;
  readonly trouble: (key: string, attempt: number) => Trouble;
  readonly retryForMs?: number;
};
type Placed = { readonly report: PlacingReport; readonly ledger: readonly LedgerLine[]; readonly shop: TestShop };

const orders = (count: number) => placements({ count, random: seededRandom(1), prefix: 'test' });
const commandIds = (count: number): string[] => orders(count).map(({ commandId }) => commandId);

async function placed({ count, trouble, retryForMs = 10_000 }: Given): Promise<Placed> {
  const folder = await mkdtemp(join(tmpdir(), 'order-center-ledger-'));
  const shop = await openTestShop(trouble);
  const client = openHttpClient({ url: shop.url, tenantId: 'default', socketsMax: 8 });
  const ledger = await openLedgerFile(join(folder, 'ledger.jsonl'));
  onTestFinished(async () => {
    client.close();
    await shop.close();
    await rm(folder, { recursive: true });
  });
  const common = { client, ledger, tenantId: 'default', concurrency: 8, retryForMs };
  const report = await startPlacing({ ...common, placements: orders(count) }).done;
  await ledger.close();
  return { report, ledger: await readLedgerFile(ledger.path), shop };
}
