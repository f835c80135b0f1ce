import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import type { OrderId } from '../../../schemas/ids.ts';
import { describeWithRedis, freshPrefix, patience } from '../../../test/redis.ts';
import type { Checkpoint } from '../../event-feed/port.ts';
import { orderSnapshotsContract } from '../contract.ts';
import { orderId, tenantId, write } from '../examples.ts';
import { openOrderSnapshots } from '../open.ts';
import type { OrderSnapshots, StoredSnapshot } from '../port.ts';
import { openRedisOrderSnapshots } from './redis-order-snapshots.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

async function openOn(prefix: string): Promise<OrderSnapshots> {
  const snapshots = openRedisOrderSnapshots(inject('redisUrl'), { prefix, ...patience });
  opened.push(snapshots);
  await vi.waitFor(() => expect(snapshots.status().isUp).toBe(true), { timeout: 5_000 });
  return snapshots;
}

/** Another client of the same Redis, to look at it and to meddle with it. */
function meddler(): Redis {
  const redis = new Redis(inject('redisUrl'));
  const close = (): Promise<void> => {
    redis.disconnect();
    return Promise.resolve();
  };
  opened.push({ close });
  return redis;
}

const mark = { epoch: 'epoch', checkpoint: 'c1' as Checkpoint };

describeWithRedis('on Redis', () => {
  orderSnapshotsContract('redis', () => openOn(freshPrefix()));

  it('reads of one turn of the event loop are one MGET', async () => {
    const snapshots = await openOn(freshPrefix());
    const redis = meddler();
    const mgets = async (): Promise<number> =>
      Number(/cmdstat_mget:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
    await snapshots.put([write(1, 'unpaid')]);
    const before = await mgets();
    const reads = Array.from({ length: 150 }, () => snapshots.get(tenantId, [orderId]));
    expect((await Promise.all(reads)).flat()).toHaveLength(150);
    // Other suites may read from the same Redis meanwhile.
    expect((await mgets()) - before).toBeLessThan(20);
  });

  it('every key that is left behind has an end, within the life of its tier', async () => {
    const prefix = freshPrefix();
    const snapshots = await openOn(prefix);
    const writing = await snapshots.beginWriting();
    await writing.put([write(1, 'in-progress'), write(1, 'fulfilled', { orderId: 'b' as OrderId })], mark);
    await snapshots.put([write(1, 'fill', { orderId: 'c' as OrderId })]);
    const redis = meddler();
    const keys = await redis.keys(`${prefix}*`);
    expect(keys.map((key) => key.slice(prefix.length)).sort()).toEqual(['order:shop:b', 'order:shop:c', 'order:shop:order', 'writer']); // prettier-ignore
    for (const key of keys) {
      const leftMs = await redis.pttl(key);
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(72 * 3_600_000);
    }
  });

  it('a snapshot without an end is told as such, and what is not ours is not read', async () => {
    const prefix = freshPrefix();
    const snapshots = await openOn(prefix);
    await snapshots.put([write(1, 'unpaid')]);
    const redis = meddler();
    await redis.persist(`${prefix}order:shop:order`);
    await redis.mset({ [`${prefix}order:shop:short`]: 'x', [`${prefix}order:noid`]: 'x'.repeat(20) });
    const stored: StoredSnapshot[] = [];
    for await (const each of snapshots.scan()) stored.push(each);
    expect(stored).toEqual([{ ...write(1, 'unpaid'), leftMs: null }]);
    expect(await snapshots.get(tenantId, ['short' as OrderId])).toEqual([null]);
  });

  it('the script is sent again to a server that forgot it', async () => {
    const snapshots = await openOn(freshPrefix());
    await snapshots.put([write(1, 'unpaid')]);
    await meddler().script('FLUSH');
    expect(await snapshots.put([write(2, 'unpaid')])).toBe(0);
  });

  it('a writer that began finds its place, and another store’s place, in the mark', async () => {
    const prefix = freshPrefix();
    const first = await (await openOn(prefix)).beginWriting();
    expect(first.mark).toBeNull();
    await first.put([write(1, 'unpaid')], mark);
    expect((await (await openOn(prefix)).beginWriting()).mark).toEqual(mark);
    await first.clear();
    expect((await (await openOn(prefix)).beginWriting()).mark).toBeNull();
  });

  it('a batch that was cut off in its middle leaves the mark where it was', async () => {
    const prefix = freshPrefix();
    const snapshots = await openOn(prefix);
    const writing = await snapshots.beginWriting();
    await writing.put([], mark);
    const many = Array.from({ length: 250 }, (_, index) => write(1, 'unpaid', { orderId: `o${index}` as OrderId }));
    // The third and last part meets a key of another kind, as if Redis failed there.
    await meddler().lpush(`${prefix}order:shop:o249`, 'x');
    const next = { ...mark, checkpoint: 'c2' as Checkpoint };
    await expect(writing.put(many, next)).rejects.toMatchObject({ code: 'SNAPSHOTS_UNAVAILABLE' });
    const anew = await snapshots.beginWriting();
    expect(anew.mark).toEqual(mark);
    expect(await snapshots.get(tenantId, ['o0' as OrderId])).toEqual([many[0]?.snapshot]);
  });
});

describe('a CACHE_URL', () => {
  it.each(['redis://h/abc', 'redis://h/0?enableOfflineQueue=true', 'redis://h/1/2'])('%s is refused', (url) => {
    expect(() => openOrderSnapshots(url)).toThrow('INVALID_CONFIGURATION: CACHE_URL must be redis://');
  });
});
