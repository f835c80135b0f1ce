import { afterEach, beforeEach, expect, inject, it } from 'vitest';

import type { Position } from '../../schemas/envelope.ts';
import { describeWithRedis, freshPrefix } from '../../test/redis.ts';
import { appended } from '../event-store/contract/examples.ts';
import { openEventStore } from '../event-store/open.ts';
import type { EventStore } from '../event-store/port.ts';
import { openOrderSnapshots } from '../order-snapshots/open.ts';
import type { OrderSnapshots, WriterMark } from '../order-snapshots/port.ts';
import { openRedisOrderSnapshots } from '../order-snapshots/redis/redis-order-snapshots.ts';
import { refuseForeignCache } from './refuse-foreign-cache.ts';

it('a start with a cache of its own, or with one that is not there, is not refused', async () => {
  const store = await openEventStore('memory:');
  for (const url of ['memory:', 'redis://127.0.0.1:1']) {
    const snapshots = openOrderSnapshots(url);
    await refuseForeignCache({ store, snapshots });
    await snapshots.close();
  }
});

describeWithRedis('a start with a shared cache', () => {
  let snapshots: OrderSnapshots;
  let store: EventStore;
  beforeEach(async () => {
    snapshots = openRedisOrderSnapshots(inject('redisUrl'), { prefix: freshPrefix() });
    store = await openEventStore('memory:');
  });
  afterEach(() => snapshots.close());

  const start = (former: readonly string[] = []) =>
    refuseForeignCache({ store: { ...store, formerEpochs: former }, snapshots });
  const written = async (mark: WriterMark): Promise<void> => {
    await expect.poll(() => snapshots.status().isUp).toBe(true);
    await (await snapshots.beginWriting()).put([], mark);
  };

  it('is not refused where it was never written, or up to an event of this store', async () => {
    await start();
    const { position } = await appended(store);
    await written({ epoch: store.epoch, checkpoint: position });
    await start();
  });

  it('takes no hold from the writer that runs', async () => {
    await expect.poll(() => snapshots.status().isUp).toBe(true);
    const { position } = await appended(store);
    const mark = { epoch: store.epoch, checkpoint: position };
    const writing = await snapshots.beginWriting();
    await writing.put([], mark);
    await start();
    await expect(writing.put([], mark)).resolves.toBe(0);
  });

  it('is refused where it is of another store, and this one is empty', async () => {
    await written({ epoch: 'deadbeef-0000-4000-8000-000000000000', checkpoint: 'deadbeef.1.0' as Position });
    await expect(start()).rejects.toMatchObject({
      code: 'FOREIGN_STORE',
      message: expect.stringMatching(/snapshots are of the event store with epoch deadbeef.* and is empty$/) as string,
    });
    // It is this very store, in an epoch that was ended.
    await start(['deadbeef-0000-4000-8000-000000000000']);
    // The writer drops what the other store left.
    await appended(store);
    await start();
  });

  it('is refused where it has seen an event that this store was set back behind', async () => {
    const { position } = await appended(store);
    const beyond = position.replace(/\d+$/, '7') as Position;
    await written({ epoch: store.epoch, checkpoint: beyond });
    await expect(start()).rejects.toMatchObject({
      code: 'FOREIGN_STORE',
      message: expect.stringContaining(`written up to ${beyond}, and this event store has no such event`) as string,
    });
  });
});
