import { Redis } from 'ioredis';
import { afterEach, expect, inject, it, vi } from 'vitest';
import { describeWithRedis, freshPrefix } from '../../../test/redis.ts';
import { orderSnapshotsContract } from '../contract.ts';
import type { OrderSnapshots } from '../port.ts';
import { openRedisOrderSnapshots } from './redis-order-snapshots.ts';

const opened: OrderSnapshots[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((snapshots) => snapshots.close()));
});

async function openOn(prefix: string): Promise<OrderSnapshots> {
  const snapshots = openRedisOrderSnapshots(inject('redisUrl'), { prefix });
  opened.push(snapshots);
  await vi.waitFor(() => expect(snapshots.status().isUp).toBe(true), { timeout: 5_000 });
  return snapshots;
}

describeWithRedis('on Redis', () => {
  orderSnapshotsContract('redis', () => openOn(freshPrefix()));
});
