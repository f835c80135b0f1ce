import { describe, expect, it } from 'vitest';

import { snapshotLifeMs } from '../../../infra/order-snapshots/lives.ts';
import type { StoredSnapshot } from '../../../infra/order-snapshots/port.ts';
import { snapshotsUnavailable } from '../../../infra/order-snapshots/unavailable.ts';
import type { TenantId } from '../../../schemas/ids.ts';
import { snapshotsAreFolds } from './invariants/i17-snapshots-are-folds.ts';
import { snapshotsEnd } from './invariants/i21-snapshots-end.ts';
import { snapshotWriterArrives } from './invariants/i35-snapshot-writer.ts';
import { found, goodHistory, history, inputOf, orderId, snapshotAt, snapshotsOf, viewsOf } from './test-history.ts';
import { verify } from './verify.ts';

const good = history(goodHistory);
const stored = snapshotAt(good, 7);
const named = `the snapshot of order ${orderId} of default`;

describe('snapshots', () => {
  it.each([snapshotsAreFolds, snapshotsEnd, snapshotWriterArrives])(
    '$id is not checked where there are none to share, and where the cache is down',
    async (invariant) => {
      expect(await found(invariant, good)).toEqual({ notChecked: expect.stringContaining('CACHE_URL') as string });
      const down = { scan: () => failing() };
      expect(await found(invariant, good, { snapshots: down })).toEqual({ notChecked: 'the cache does not answer' });
    },
  );
});

describe('I17', () => {
  const check = (...snapshots: readonly StoredSnapshot[]) =>
    found(snapshotsAreFolds, good, { snapshots: snapshotsOf(...snapshots) });
  const changed = (change: Partial<StoredSnapshot['snapshot']>): StoredSnapshot => ({
    ...stored,
    snapshot: { ...stored.snapshot, ...change },
  });

  it('takes a snapshot of any version that is its fold, whatever is absent', async () => {
    expect(await check(stored, snapshotAt(good, 3))).toEqual({ checked: 2, violations: [] });
    expect(await check()).toHaveProperty('notChecked');
  });

  it('finds a body that is not its fold, and an older one under a newer version', async () => {
    const body = Buffer.from(stored.snapshot.body.toString().replace('delivered', 'cancelled'));
    const problem = `${named} is not the fold at its version 7`;
    expect(await check(changed({ body }))).toEqual({ checked: 1, violations: [problem] });
    const older = snapshotAt(good, 6).snapshot;
    expect(await check(changed({ body: older.body }))).toEqual({ checked: 1, violations: [problem] });
  });

  it('finds a version that the store does not have, another time, and another tenant’s order', async () => {
    expect(await check(changed({ version: 8 }))).toMatchObject({
      violations: [`${named} is at version 8, the store at 7`],
    });
    expect(await check(changed({ eventTime: '2020-01-01T00:00:00.000Z' }))).toMatchObject({
      violations: [`${named} names another time than its version 7`],
    });
    expect(await check({ ...stored, tenantId: 'rival' as TenantId })).toMatchObject({ violations: { length: 1 } });
  });

  it('counts those that say parked', async () => {
    const snapshots = snapshotsOf(changed({ parked: true }), stored);
    const [verdict] = await verify([snapshotsAreFolds], await inputOf(good, { snapshots }));
    expect(verdict?.finding).toMatchObject({ violations: { count: 0 }, remark: '1 snapshots say parked' });
  });
});

describe('I21', () => {
  const check = (change: Partial<StoredSnapshot>) =>
    found(snapshotsEnd, good, { snapshots: snapshotsOf({ ...stored, ...change }) });

  it('takes each tier up to its life', async () => {
    expect(await check({ leftMs: snapshotLifeMs.fulfilled })).toEqual({ checked: 1, violations: [] });
    expect(await check({ tier: 'fill', leftMs: 30_000 })).toEqual({ checked: 1, violations: [] });
  });

  it('finds a snapshot that never ends, lives too long, or is of another tier than its order', async () => {
    expect(await check({ leftMs: null })).toMatchObject({ violations: [`${named} never ends`] });
    expect(await check({ tier: 'fill', leftMs: 30_001 })).toMatchObject({
      violations: [`${named} lives another 30001 ms, and fill at most 30000`],
    });
    expect(await check({ tier: 'unpaid' })).toMatchObject({
      violations: [`${named} is unpaid, and its order fulfilled`],
    });
  });
});

describe('I35', () => {
  const check = async (snapshot: StoredSnapshot, writerAt = good.at(-1)?.position) =>
    found(snapshotWriterArrives, good, {
      ...{ snapshots: snapshotsOf(snapshot), views: await viewsOf(good, writerAt), patienceMs: 300 },
      readVersion: () => Promise.resolve(7),
    });

  it('takes a writer that arrived, with its snapshot, with a reader’s older fill, and with none', async () => {
    expect(await check(stored)).toEqual({ checked: 2, violations: [] });
    expect(await check({ ...snapshotAt(good, 3), tier: 'fill' })).toEqual({ checked: 1, violations: [] });
  });

  it('finds an order that the writer passed without the cache’s answer', async () => {
    expect(await check(snapshotAt(good, 6))).toEqual({
      checked: 2,
      violations: [`the writer passed order ${orderId} of default at version 7; its snapshot is at 6`],
    });
  });

  it('finds a writer that does not catch up while the system runs; where nothing runs it says so', async () => {
    const behind = good[5]?.position;
    expect(await check(snapshotAt(good, 2), behind)).toMatchObject({
      violations: ['the writer is behind the log, and does not catch up'],
    });
    const input = { snapshots: snapshotsOf(snapshotAt(good, 2)), views: await viewsOf(good, behind) };
    const [verdict] = await verify([snapshotWriterArrives], await inputOf(good, input));
    expect(verdict?.finding).toMatchObject({
      violations: { count: 0 },
      remark: 'the snapshot writer is behind the log',
    });
  });
});

// eslint-disable-next-line require-yield
async function* failing(): AsyncGenerator<StoredSnapshot> {
  await Promise.resolve();
  throw snapshotsUnavailable('down');
}
