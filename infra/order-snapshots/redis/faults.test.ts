import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { afterEach, expect, it, vi } from 'vitest';
import { describeWithRedisServer } from '../../../test/redis.ts';
import { starve } from '../../../test/starve.ts';
import { openTcpSwitch, type TcpSwitch } from '../../../test/tcp-switch.ts';
import type { Checkpoint } from '../../event-feed/port.ts';
import { startRedisServer, type RedisServer, type RedisServerOptions } from '../../local/redis-server.ts';
import { orderId, tenantId, write } from '../examples.ts';
import type { OrderSnapshots, SnapshotWriting } from '../port.ts';
import { openRedisOrderSnapshots } from './redis-order-snapshots.ts';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function startServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedisServer(options);
  opened.push(() => server.stop());
  return server;
}

async function openOn(port: number): Promise<OrderSnapshots> {
  const snapshots = openRedisOrderSnapshots(`redis://127.0.0.1:${port}`);
  opened.push(() => snapshots.close());
  await isUp(snapshots);
  return snapshots;
}

async function isUp(snapshots: OrderSnapshots): Promise<void> {
  await vi.waitFor(() => expect(snapshots.status().isUp).toBe(true), { timeout: 10_000, interval: 10 });
}

async function switchTo(server: RedisServer): Promise<TcpSwitch> {
  const address = await openTcpSwitch(server.port);
  opened.push(() => address.close());
  return address;
}

async function adminOf({ port }: RedisServer): Promise<Redis> {
  const admin = new Redis(port, '127.0.0.1', { lazyConnect: true });
  opened.push(() => {
    admin.disconnect();
    return Promise.resolve();
  });
  await admin.connect();
  return admin;
}

const unavailable = { code: 'SNAPSHOTS_UNAVAILABLE', retryable: true };

/** How long reads take to fail, one after another; and how many of them waited for an answer at all. */
async function failingReads(snapshots: OrderSnapshots, count: number): Promise<{ slowestMs: number; waited: number }> {
  const tookMs: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now();
    await expect(snapshots.get(tenantId, [orderId])).rejects.toMatchObject(unavailable);
    tookMs.push(performance.now() - startedAt);
  }
  return { slowestMs: Math.max(...tookMs), waited: tookMs.filter((ms) => ms > 150).length };
}

const mark = { epoch: 'epoch', checkpoint: 'c1' as Checkpoint };

async function putOne(writing: SnapshotWriting, version: number): Promise<number> {
  return writing.put([write(version, 'fulfilled')], { ...mark, checkpoint: `c${version}` as Checkpoint });
}

describeWithRedisServer('snapshots on a Redis that', () => {
  it('stops answering fail within 300 ms, the next at once, and are read again when it answers', async () => {
    const server = await startServer();
    const snapshots = await openOn(server.port);
    await snapshots.put([write(1, 'unpaid')]);
    process.kill(server.pid(), 'SIGSTOP');
    const { slowestMs, waited } = await failingReads(snapshots, 20);
    expect(slowestMs).toBeLessThan(300);
    expect(waited).toBeLessThanOrEqual(2);
    process.kill(server.pid(), 'SIGCONT');
    await isUp(snapshots);
    expect(await snapshots.get(tenantId, [orderId])).toEqual([write(1, 'unpaid').snapshot]);
  });

  it('answers late is down for a process that listened, and not for one that hardly ran meanwhile', async () => {
    const server = await startServer();
    const snapshots = await openOn(server.port);
    await snapshots.put([write(1, 'unpaid')]);
    const admin = await adminOf(server);
    const lateMs = 320;
    await admin.call('CLIENT', 'PAUSE', String(lateMs), 'ALL');
    await expect(snapshots.get(tenantId, [orderId])).rejects.toMatchObject(unavailable);
    await isUp(snapshots);
    await admin.call('CLIENT', 'PAUSE', String(lateMs), 'ALL');
    const feed = starve(60);
    const read = await snapshots.get(tenantId, [orderId]).finally(feed);
    expect(read).toEqual([write(1, 'unpaid').snapshot]);
    expect(snapshots.status().isUp).toBe(true);
  });

  it('is behind a black hole fail within 300 ms, and are read again by a new connection', async () => {
    const server = await startServer();
    const address = await switchTo(server);
    const snapshots = await openOn(address.port);
    await snapshots.put([write(1, 'unpaid')]);
    const writing = await snapshots.beginWriting();
    address.silence();
    expect((await failingReads(snapshots, 20)).slowestMs).toBeLessThan(300);
    const putAt = performance.now();
    await expect(putOne(writing, 2)).rejects.toMatchObject(unavailable);
    expect(performance.now() - putAt).toBeLessThan(1_300);
    await vi.waitFor(() => expect(writing.lost.aborted).toBe(true), { timeout: 5_000 });
    address.to(server.port, 'cut');
    await isUp(snapshots);
    expect(await snapshots.get(tenantId, [orderId])).toEqual([write(1, 'unpaid').snapshot]);
  });

  it('is killed fail at once; started again, it is empty and takes writes without being told the script', async () => {
    const server = await startServer();
    const snapshots = await openOn(server.port);
    const writing = await snapshots.beginWriting();
    await putOne(writing, 1);
    await server.kill();
    await vi.waitFor(() => expect(writing.lost.aborted).toBe(true));
    expect((await failingReads(snapshots, 20)).slowestMs).toBeLessThan(100);
    await expect(snapshots.put([write(1, 'fill')])).rejects.toMatchObject(unavailable);
    await server.startAgain();
    await isUp(snapshots);
    // On a busy machine a server that has just begun may take more than a read's time for its first answer.
    await vi.waitFor(async () => expect(await snapshots.get(tenantId, [orderId])).toEqual([null]));
    await expect(putOne(writing, 2)).rejects.toMatchObject(unavailable);
    const anew = await snapshots.beginWriting();
    expect([anew.mark, await putOne(anew, 2)]).toEqual([null, 0]);
  });

  it('is full fail to be written with its word, and are read on', async () => {
    const server = await startServer({ args: ['--maxmemory-policy', 'noeviction'] });
    const snapshots = await openOn(server.port);
    const writing = await snapshots.beginWriting();
    await putOne(writing, 1);
    const admin = await adminOf(server);
    await admin.config('SET', 'maxmemory', '1mb');
    const full = { ...unavailable, message: expect.stringContaining('OOM') as string };
    await expect(putOne(writing, 2)).rejects.toMatchObject(full);
    await expect(snapshots.put([write(2, 'fill')])).rejects.toMatchObject(full);
    expect((await snapshots.get(tenantId, [orderId]))[0]?.version).toBe(1);
    await admin.config('SET', 'maxmemory', '0');
    expect(await putOne(writing, 2)).toBe(0);
  });

  it('became a replica are written to the new primary once the address leads there', async () => {
    const [old, next] = [await startServer(), await startServer()];
    const address = await switchTo(old);
    const snapshots = await openOn(address.port);
    const writing = await snapshots.beginWriting();
    await putOne(writing, 1);
    await (await adminOf(old)).replicaof('127.0.0.1', next.port);
    address.to(old.port, 'carry-over');
    await expect(putOne(writing, 2)).rejects.toMatchObject(unavailable);
    address.to(next.port, 'carry-over');
    await vi.waitFor(
      async () => {
        const anew = await snapshots.beginWriting();
        expect(await putOne(anew, 2)).toBe(0);
      },
      { timeout: 10_000 },
    );
  });

  it('is swapped for an emptied or older one refuse a writer that began before, though no connection was cut', async () => {
    const [first, second] = [await startServer(), await startServer()];
    const address = await switchTo(first);
    const snapshots = await openOn(address.port);
    const writing = await snapshots.beginWriting();
    await putOne(writing, 1);
    address.to(second.port, 'carry-over');
    await expect(putOne(writing, 2)).rejects.toMatchObject(unavailable);
    expect(await snapshots.get(tenantId, [orderId])).toEqual([null]);
  });
});
