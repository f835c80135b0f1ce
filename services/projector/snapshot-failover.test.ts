import { Redis } from 'ioredis';
import { afterEach, expect, it, vi } from 'vitest';
import { startRedisServer, type RedisServer } from '../../infra/local/redis-server.ts';
import type { OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import { openRedisOrderSnapshots } from '../../infra/order-snapshots/redis/redis-order-snapshots.ts';
import { tenant } from '../../projections/examples.ts';
import { describeWithRedisServer } from '../../test/redis.ts';
import { openTcpSwitch, type TcpSwitch } from '../../test/tcp-switch.ts';
import { openSnapshotWorld, orderIds, payAll, placeAll, shipAll, type SnapshotWorld } from './test-snapshot-world.ts';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** Snapshots must be right again so soon after a heal. */
const healsWithinMs = 5_000;

async function startServer(): Promise<RedisServer> {
  const server = await startRedisServer();
  opened.push(() => server.stop());
  return server;
}

async function adminOf({ port }: RedisServer): Promise<Redis> {
  const admin = new Redis(port, '127.0.0.1', { lazyConnect: true });
  admin.on('error', () => undefined);
  opened.push(() => {
    admin.disconnect();
    return Promise.resolve();
  });
  await admin.connect();
  return admin;
}

async function openOn(port: number): Promise<OrderSnapshots> {
  const snapshots = openRedisOrderSnapshots(`redis://127.0.0.1:${port}`);
  opened.push(() => snapshots.close());
  await vi.waitFor(() => expect(snapshots.status().isUp).toBe(true), { timeout: 5_000 });
  return snapshots;
}

async function openWorldOn(port: number) {
  const world = await openSnapshotWorld(await openOn(port));
  const writer = world.start();
  opened.push(() => writer.stop());
  return { ...world, writer };
}

async function caughtUp(world: SnapshotWorld): Promise<void> {
  await vi.waitFor(async () => expect(await world.checkpoint()).toBe(await world.store.head()), { timeout: 10_000 });
}

type Pair = { readonly primary: RedisServer; readonly replica: RedisServer; readonly address: TcpSwitch };

async function openPair(): Promise<Pair> {
  const [primary, replica] = [await startServer(), await startServer()];
  const address = await openTcpSwitch(primary.port);
  opened.push(() => address.close());
  const admin = await adminOf(replica);
  await admin.replicaof('127.0.0.1', primary.port);
  const link = async (): Promise<string> => admin.info('replication');
  await vi.waitFor(async () => expect(await link()).toContain('master_link_status:up'), { timeout: 15_000 });
  return { primary, replica, address };
}

/** The replica hears no more, as behind a cut cable; what the primary takes from now on is lost with it. */
async function cutReplica({ primary, replica }: Pair): Promise<void> {
  await (await adminOf(primary)).call('WAIT', '1', '5000');
  await (await adminOf(replica)).replicaof('NO', 'ONE');
}

const ids = orderIds('failover', 20);

describeWithRedisServer('the snapshot writer', () => {
  it.each(['cut', 'carry-over'] as const)(
    'makes writes again that a failover lost, though no event comes (connections: %s)',
    async (connections) => {
      const pair = await openPair();
      const world = await openWorldOn(pair.address.port);
      await placeAll(world.store, ids);
      await world.equalsFold(ids);
      await caughtUp(world);
      await cutReplica(pair);
      await payAll(world.store, ids);
      await shipAll(world.store, ids.slice(0, 10));
      await world.equalsFold(ids);
      await caughtUp(world);
      pair.address.to(pair.replica.port, connections);
      await pair.primary.kill();
      // A failover that no connection shows is found at the next write.
      if (connections === 'carry-over') await placeAll(world.store, orderIds('later', 1));
      await world.equalsFold(ids, healsWithinMs);
      expect(world.writer.began).toContain('behind');
      await caughtUp(world);
    },
  );

  it('goes on after a crash that emptied Redis: later events are written, nothing old is there', async () => {
    const server = await startServer();
    const world = await openWorldOn(server.port);
    await placeAll(world.store, ids);
    await world.equalsFold(ids);
    await server.kill();
    await payAll(world.store, ids.slice(0, 10));
    await server.startAgain();
    await world.equalsFold(ids.slice(0, 10), healsWithinMs);
    expect(await world.snapshots.get(tenant, ids.slice(10))).toEqual(ids.slice(10).map(() => null));
    await caughtUp(world);
  });

  it('waits for a Redis that is stopped, and is current soon after it goes on', async () => {
    const server = await startServer();
    const world = await openWorldOn(server.port);
    await placeAll(world.store, ids);
    await world.equalsFold(ids);
    const before = await world.checkpoint();
    process.kill(server.pid(), 'SIGSTOP');
    await shipAll(world.store, ids);
    await vi.waitFor(() => expect(world.writer.failures).toContain('SNAPSHOTS_UNAVAILABLE'), { timeout: 5_000 });
    expect(await world.checkpoint()).toBe(before);
    process.kill(server.pid(), 'SIGCONT');
    await world.equalsFold(ids, healsWithinMs);
    await caughtUp(world);
  });
});
