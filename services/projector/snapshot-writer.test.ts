import fc from 'fast-check';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import type { Checkpoint } from '../../infra/event-feed/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { openMemoryOrderSnapshots } from '../../infra/order-snapshots/memory/memory-order-snapshots.ts';
import { snapshotWriter, type OrderSnapshots, type SnapshotWriting } from '../../infra/order-snapshots/port.ts';
import { openRedisOrderSnapshots } from '../../infra/order-snapshots/redis/redis-order-snapshots.ts';
import { snapshotsUnavailable } from '../../infra/order-snapshots/unavailable.ts';
import { anOrderId, tenant } from '../../projections/examples.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import { foldDocument, type Projection } from '../../projections/projection.ts';
import { orderStream, type OrderId } from '../../schemas/ids.ts';
import { describeWithRedis, freshPrefix, patience } from '../../test/redis.ts';
import { openSnapshotWorld, orderIds, payAll, placeAll, shipAll, type SnapshotWorld } from './test-snapshot-world.ts';

const [id = anOrderId('x')] = orderIds('order', 1);

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

function started(world: SnapshotWorld, ...[options]: Parameters<SnapshotWorld['start']>) {
  const writer = world.start(options);
  opened.push(() => writer.stop());
  return writer;
}

/** Snapshots whose writer's puts first do something else. */
function beforePut(snapshots: OrderSnapshots, act: () => Promise<void>): OrderSnapshots {
  const beginWriting = async (): Promise<SnapshotWriting> => {
    const writing = await snapshots.beginWriting();
    return { ...writing, put: (...args) => act().then(() => writing.put(...args)) };
  };
  return { ...snapshots, beginWriting };
}

async function headOf({ store }: SnapshotWorld): Promise<string | null> {
  return store.head();
}

function writerSuite(openSnapshots: () => Promise<OrderSnapshots>): void {
  const openWorld = async (): Promise<SnapshotWorld> => {
    const snapshots = await openSnapshots();
    opened.push(() => snapshots.close());
    return openSnapshotWorld(snapshots);
  };

  it('writes each order as the fold of its stream, with the tier of its status', async () => {
    const world = await openWorld();
    const ids = orderIds('many', 30);
    await placeAll(world.store, ids);
    started(world, { batchMax: 7 });
    await payAll(world.store, ids.slice(0, 20));
    await shipAll(world.store, ids.slice(0, 10));
    await world.equalsFold(ids);
    const tiers = new Map<string, number>();
    for await (const { tier } of world.snapshots.scan()) tiers.set(tier, (tiers.get(tier) ?? 0) + 1);
    expect(Object.fromEntries(tiers)).toEqual({ unpaid: 10, 'in-progress': 20 });
  });

  it('moves its checkpoint only after the cache’s answer', async () => {
    const world = await openWorld();
    await placeAll(world.store, [id]);
    let outages = 0;
    const failing = beforePut(world.snapshots, () => {
      outages += 1;
      return outages <= 2 ? Promise.reject(snapshotsUnavailable('a cable')) : Promise.resolve();
    });
    const moves = vi.spyOn(world.readStore, 'moveCheckpoint').mockImplementationOnce(() => {
      expect(outages).toBe(3);
      throw new OperationalFailure('VIEWS_UNAVAILABLE', 'another cable', { retryable: true });
    });
    const writer = started(world, { snapshots: failing });
    await vi.waitFor(async () => expect(await world.checkpoint()).toBe(await headOf(world)), { timeout: 10_000 });
    expect(writer.failures).toEqual(['SNAPSHOTS_UNAVAILABLE', 'SNAPSHOTS_UNAVAILABLE', 'VIEWS_UNAVAILABLE']);
    expect(moves).toHaveBeenCalledTimes(2);
    await world.equalsFold([id]);
  });

  it('goes on where it stopped: from the view’s rows where they are current, else from the store, a read an order', async () => {
    const world = await openWorld();
    const ids = orderIds('known', 3);
    await placeAll(world.store, ids);
    const first = started(world);
    await vi.waitFor(async () => expect(await world.checkpoint()).toBe(await headOf(world)));
    await first.stop();
    await project(world, ids.slice(0, 1));
    await payAll(world.store, ids);
    const reads = vi.spyOn(world.store, 'readStream');
    await shipAll(world.store, ids);
    reads.mockClear();
    started(world);
    await vi.waitFor(async () => expect(await world.checkpoint()).toBe(await headOf(world)));
    expect(reads).toHaveBeenCalledTimes(2);
    await world.equalsFold(ids);
  });

  it('parks the snapshot of an order with a poison event as it was before it, and goes on with all others', async () => {
    const world = await openWorld();
    const [poisoned = id, ...others] = orderIds('poison', 4);
    const ids = [poisoned, ...others];
    await placeAll(world.store, ids);
    started(world, { projection: poisonedAt(poisoned, 1) });
    await payAll(world.store, ids);
    await world.equalsFold(others);
    await shipAll(world.store, ids);
    await world.equalsFold(others);
    const found = await world.snapshots.get(tenant, ids);
    expect(found.map((each) => [each?.version, each?.parked])).toEqual([[1, true], [4, false], [4, false], [4, false]]); // prettier-ignore
  });

  it('is overtaken by nobody: two writers and late readers race, and every snapshot is the fold', async () => {
    const world = await openWorld();
    const ids = orderIds('race', 12);
    const both = [started(world, { batchMax: 3 }), started(world, { batchMax: 5 })];
    await placeAll(world.store, ids);
    const old = await world.snapshots.get(tenant, ids);
    await payAll(world.store, ids);
    const fills = old.flatMap((snapshot, index) =>
      snapshot === null ? [] : [{ tenantId: tenant, orderId: ids[index] ?? id, snapshot, tier: 'fill' as const }],
    );
    await Promise.all([shipAll(world.store, ids), world.snapshots.put(fills)]);
    await vi.waitFor(async () => expect(await world.checkpoint()).toBe(await headOf(world)), { timeout: 20_000 });
    for (const { failures } of both) {
      expect(failures.every((code) => /SNAPSHOTS_UNAVAILABLE|CHECKPOINT_MOVED/.test(code))).toBe(true);
    }
    // In process, whoever began last holds the cache; the other one may have moved the checkpoint past its events.
    if (world.snapshots.status().kind === 'redis') await world.equalsFold(ids);
  });
}

/** Brings the order view up to the store's head for these orders, as the projector does. */
async function project({ store, readStore }: SnapshotWorld, ids: readonly OrderId[]): Promise<void> {
  const documents = await Promise.all(
    ids.map(async (key) => {
      const events = await store.readStream({ stream: orderStream(key) });
      return { tenantId: tenant, key, document: foldDocument(orderSummary, events, { key, document: null }) };
    }),
  );
  const move = { consumer: orderSummary.view.name, partition: 'log', from: null, to: (await store.head()) ?? ('' as never) }; // prettier-ignore
  await readStore.commit({ view: orderSummary.view, documents, progress: [], move });
}

function poisonedAt(orderId: OrderId, revision: number): Projection<OrderSummary> {
  return {
    ...orderSummary,
    changes: (event) => {
      if (event.stream === orderStream(orderId) && event.revision === revision) throw new Error('poison');
      return orderSummary.changes(event);
    },
  };
}

describe('the snapshot writer in memory', () => {
  writerSuite(() => Promise.resolve(openMemoryOrderSnapshots()));

  it('drops everything when it stops: nobody would keep it current', async () => {
    const world = await openSnapshotWorld(openMemoryOrderSnapshots());
    await placeAll(world.store, [id]);
    const writer = world.start();
    await world.equalsFold([id]);
    await writer.stop();
    expect(await world.snapshots.get(tenant, [id])).toEqual([null]);
  });
});

describeWithRedis('the snapshot writer on Redis', () => {
  const openOn = async (prefix: string): Promise<OrderSnapshots> => {
    const snapshots = openRedisOrderSnapshots(inject('redisUrl'), { prefix, ...patience });
    opened.push(() => snapshots.close());
    await vi.waitFor(() => expect(snapshots.status().isUp).toBe(true), { timeout: 5_000 });
    return snapshots;
  };
  writerSuite(() => openOn(freshPrefix()));

  it('drops what another store’s writer left, and goes on from its checkpoint', async () => {
    const snapshots = await openOn(freshPrefix());
    const [before, after] = [await openSnapshotWorld(snapshots), await openSnapshotWorld(snapshots)];
    const foreign = orderIds('foreign', 5);
    await placeAll(before.store, foreign);
    const writer = before.start();
    await before.equalsFold(foreign);
    await writer.stop();
    await placeAll(after.store, [id]);
    const next = started(after);
    await after.equalsFold([id]);
    expect(next.began).toEqual(['unknown']);
    expect(await snapshots.get(tenant, foreign)).toEqual(foreign.map(() => null));
  });

  it('goes back to the cache’s mark where the checkpoint is ahead of it', async () => {
    const world = await openSnapshotWorld(await openOn(freshPrefix()));
    const ids = orderIds('back', 8);
    await placeAll(world.store, ids);
    const first = world.start();
    await world.equalsFold(ids);
    await first.stop();
    await payAll(world.store, ids);
    // The view is current: no event brings the fold anything new, and the orders must be written all the same.
    await project(world, ids);
    // As after a failover that lost the writes: the checkpoint says that they were made.
    const move = { consumer: snapshotWriter, partition: 'log', from: (await world.checkpoint()) as never };
    await world.readStore.moveCheckpoint({ ...move, to: (await world.store.head()) ?? ('' as never) });
    const second = started(world);
    await world.equalsFold(ids);
    expect(second.began).toEqual(['behind']);
  });

  it('that slept while another one wrote changes nothing when it wakes, also where keys are gone', async () => {
    const prefix = freshPrefix();
    const world = await openSnapshotWorld(await openOn(prefix));
    const ids = orderIds('zombie', 6);
    await placeAll(world.store, ids);
    const asleep = Promise.withResolvers<undefined>();
    const awake = Promise.withResolvers<undefined>();
    const sleepy = beforePut(await openOn(prefix), () => {
      asleep.resolve(undefined);
      return awake.promise;
    });
    const zombie = started(world, { snapshots: sleepy });
    await asleep.promise;
    await shipAll(world.store, ids);
    const owner = started(world);
    await world.equalsFold(ids);
    await owner.stop();
    await world.snapshots.remove(tenant, ids);
    const { failures } = zombie;
    await zombieWakes(awake, failures);
    const found = await world.snapshots.get(tenant, ids);
    expect(found.filter((each) => each !== null && each.version < 3)).toEqual([]);
  });

  it('never leaves an old snapshot, in whatever order writers sleep, fall behind and are cut off', async () => {
    const step = fc.constantFrom('order', 'first', 'second', 'remove', 'restart');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        const snapshots = await openOn(freshPrefix());
        const world = await openSnapshotWorld(snapshots);
        const holds = new Map<string, Hold>();
        let version = 1;
        let newest = 0;
        for (const each of steps) {
          if (each === 'order') version += 1;
          else if (each === 'remove') await snapshots.remove(tenant, [id]);
          else if (each === 'restart') holds.delete('first');
          else {
            const hold = holds.get(each) ?? { writing: await snapshots.beginWriting(), knows: version };
            const isTaken = await putVersion(hold, world);
            if (isTaken) holds.set(each, hold);
            else holds.delete(each);
            if (isTaken) newest = Math.max(newest, hold.knows);
          }
          const [found] = await snapshots.get(tenant, [id]);
          if (found !== null && found !== undefined) expect(found.version).toBe(newest);
        }
        await snapshots.close();
      }),
      { numRuns: 25 },
    );
  });
});

/** A writer that sleeps after it read what it knows. */
type Hold = { readonly writing: SnapshotWriting; readonly knows: number };

async function putVersion({ writing, knows }: Hold, { store }: SnapshotWorld): Promise<boolean> {
  const snapshot = { version: knows, eventTime: 'now', parked: false, body: Buffer.from('{}') };
  const writes = [{ tenantId: tenant, orderId: id, snapshot, tier: 'fulfilled' as const }];
  try {
    await writing.put(writes, { epoch: store.epoch, checkpoint: 'here' as Checkpoint });
    return true;
  } catch {
    return false;
  }
}

async function zombieWakes(awake: PromiseWithResolvers<undefined>, failures: readonly string[]): Promise<void> {
  awake.resolve(undefined);
  await vi.waitFor(() => expect(failures).toContain('SNAPSHOTS_UNAVAILABLE'));
}
