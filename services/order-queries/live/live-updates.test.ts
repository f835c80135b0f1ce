import { afterEach, describe, expect, it } from 'vitest';
import type { Readable } from 'node:stream';
import { openEventFeed } from '../../../infra/event-feed/open.ts';
import { openMemoryEventStore } from '../../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { openPostgresEventStore } from '../../../infra/event-store/postgres/open.ts';
import { anOrderId, appendAll, otherTenant, paymentFact, placement, tenant } from '../../../projections/examples.ts';
import { orderStream } from '../../../schemas/ids.ts';
import { describeWithPostgres, freshDatabase } from '../../../test/postgres.ts';
import { chunkBytes } from './frames.ts';
import type { LiveLimits } from './limits.ts';
import { openLiveUpdates, type LiveUpdates } from './live-updates.ts';
import type { Subject } from './source.ts';

const ofTenant: Subject = { kind: 'tenant', tenantId: tenant, categories: ['order', 'stock'] };
const orderId = anOrderId('one');
const ofOrder: Subject = { kind: 'order', tenantId: tenant, orderId };

type Following = { readonly stream: Readable; readonly cuts: () => number; leave(): void };

async function follow(live: LiveUpdates, subject: Subject, after?: string): Promise<Following> {
  const gone = new AbortController();
  let cuts = 0;
  const answer = await live.open({ subject, after, gone: gone.signal, cut: () => void (cuts += 1) });
  if (answer.outcome === 'rejected') throw new Error(answer.rejection.code);
  const { stream } = answer;
  return {
    stream,
    cuts: () => cuts,
    leave: () => {
      gone.abort();
      stream.destroy();
    },
  };
}

type Seen = { readonly position: string; readonly stream: string; readonly revision: number };

/** Reads until so many events came, then leaves; what came after them in the same chunk counts too. */
async function read(following: Following, wanted: number): Promise<readonly Seen[]> {
  let text = '';
  let seen: readonly Seen[] = [];
  for await (const chunk of following.stream as AsyncIterable<Buffer>) {
    text += chunk.toString();
    const whole = text.slice(0, text.lastIndexOf('\n\n') + 1);
    seen = [...whole.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as Seen);
    if (seen.length >= wanted) break;
  }
  following.leave();
  return seen;
}

function liveSuite(openStore: () => Promise<EventStore>): void {
  const open = (store: EventStore, limits: Partial<LiveLimits> = {}): LiveUpdates =>
    openLiveUpdates({ store, feed: openEventFeed(store, { pollMs: 20 }), limits });

  /** Several writers at once, of two tenants; resolves when all is appended. */
  const writers = 6;
  const turns = 20;
  const expected = writers * (turns + 1);
  const write = async (store: EventStore): Promise<void> => {
    const names = Array.from({ length: writers }, (_, index) => (index === 0 ? 'one' : `order-${index}`));
    const one = async (id: ReturnType<typeof anOrderId>, tenantId = tenant): Promise<void> => {
      await appendAll(store, [placement(id)], { tenantId });
      for (let turn = 0; turn < turns; turn += 1) {
        await appendAll(store, [paymentFact('PaymentCaptured', id)], { tenantId });
      }
    };
    await Promise.all([...names.map((name) => one(anOrderId(name))), one(anOrderId('x', otherTenant), otherTenant)]);
  };

  it.each([
    ['overflows at each event', 1],
    ['overflows in bursts', 3_000],
    ['has room', 256 * 1024],
  ])(
    'gives a tenant each event once, each order in its order, over cuts, where the inbox %s',
    async (...row) => {
      const [, queuedMaxBytes] = row;
      const store = await openStore();
      const live = open(store, { queuedMaxBytes });
      const [begin] = await appendAll(store, [placement(anOrderId('first'))]);
      const writing = write(store);
      const seen: Seen[] = [];
      for (let turn = 1; seen.length < expected; turn += 1) {
        const after: string | undefined = seen.at(-1)?.position ?? begin?.position;
        const wanted = Math.min(expected - seen.length, (turn * 7) % 23 || 1);
        seen.push(...(await read(await follow(live, ofTenant, after), wanted)));
      }
      await writing;
      expect([seen.length, new Set(seen.map(({ position }) => position)).size]).toEqual([expected, expected]);
      for (const [, events] of Map.groupBy(seen, ({ stream }) => stream)) {
        expect(events.map(({ revision }) => revision)).toEqual([...events.keys()]);
      }
      await expect.poll(() => live.clients(), { timeout: 10_000 }).toBe(0);
    },
    60_000,
  );

  it('gives an order’s followers each event once, in order, over cuts and overflows', async () => {
    const store = await openStore();
    const live = open(store, { queuedMaxBytes: 1_000 });
    await appendAll(store, [placement(anOrderId('first'))]);
    const writing = write(store);
    await expect.poll(() => store.readStream({ stream: orderStream(orderId) }), { timeout: 10_000 }).not.toEqual([]);
    const seen: Seen[] = [];
    for (let turn = 1; seen.length <= turns; turn += 1) {
      const wanted = Math.min(turns + 1 - seen.length, turn);
      seen.push(...(await read(await follow(live, ofOrder, seen.at(-1)?.position), wanted)));
    }
    await writing;
    expect(seen.map(({ revision }) => revision)).toEqual(Array.from({ length: turns + 1 }, (_, index) => index));
  }, 60_000);

  it('goes on with many followers at once, who each get everything', async () => {
    const store = await openStore();
    const live = open(store);
    await appendAll(store, [placement(anOrderId('first'))]);
    const followers = await Promise.all(Array.from({ length: 30 }, () => follow(live, ofTenant)));
    const reading = followers.map((follower) => read(follower, expected));
    await write(store);
    for (const seen of await Promise.all(reading)) expect(seen.map(({ position }) => position)).toHaveLength(expected);
    await expect.poll(() => live.clients(), { timeout: 10_000 }).toBe(0);
  }, 60_000);
}

describe('live updates on memory', () => {
  liveSuite(() => Promise.resolve(openMemoryEventStore()));

  it('hold a bounded part of what a client does not take, and give it all of it later', async () => {
    let reads = 0;
    const memory = openMemoryEventStore();
    const store: EventStore = {
      ...memory,
      readLog: (query) => {
        // Consumers of the feed ask without types.
        if (query.types !== undefined) reads += 1;
        return memory.readLog(query);
      },
    };
    const live = openLiveUpdates({ store, feed: openEventFeed(store), limits: { queuedMaxBytes: 32 * 1024 } });
    await appendAll(store, [placement(anOrderId('first'))]);
    const follower = await follow(live, { ...ofTenant, types: ['OrderPlaced'] });
    const text = 'x'.repeat(20_000);
    const count = 600;
    for (let index = 0; index < count; index += 1) {
      await appendAll(memory, [placement(anOrderId(`big-${index}`), { metadata: { text } })]);
    }
    const frame = text.length + 2_000;
    expect(follower.stream.readableLength).toBeLessThanOrEqual(2 * chunkBytes + frame);
    // It asks the store no more than what its buffers take: one page ahead.
    expect(reads).toBeLessThan(5);
    expect(await read(follower, count)).toHaveLength(count);
  }, 60_000);

  it('cut a client that takes nothing, and none that has nothing to take', async () => {
    const store = openMemoryEventStore();
    const live = openLiveUpdates({ store, feed: openEventFeed(store), limits: { stalledMaxMs: 50, heartbeatMs: 5 } });
    const deaf = await follow(live, ofTenant);
    const idle = await follow(live, { kind: 'tenant', tenantId: otherTenant, categories: ['order'] });
    idle.stream.resume();
    const text = 'x'.repeat(200_000);
    await appendAll(store, [placement(orderId, { metadata: { text } })]);
    deaf.stream.read(0);
    await expect.poll(() => deaf.cuts(), { timeout: 10_000 }).toBeGreaterThan(0);
    expect(idle.cuts()).toBe(0);
    deaf.leave();
    idle.leave();
    expect(live.clients()).toBe(0);
  });

  it('follow the log only while somebody listens, and again for the next', async () => {
    const memory = openMemoryEventStore();
    let runs = 0;
    let running = 0;
    const feed = openEventFeed(memory);
    const counted = {
      run: async (subscription: Parameters<typeof feed.run>[0]): Promise<void> => {
        runs += 1;
        running += 1;
        await feed.run(subscription).finally(() => (running -= 1));
      },
    };
    const live = openLiveUpdates({ store: memory, feed: counted });
    const both = await Promise.all([follow(live, ofTenant), follow(live, ofTenant)]);
    expect([runs, running]).toEqual([1, 1]);
    for (const each of both) each.leave();
    await expect.poll(() => running, { timeout: 10_000 }).toBe(0);
    const later = await follow(live, ofTenant);
    const reading = read(later, 1);
    await appendAll(memory, [placement(orderId)]);
    expect([(await reading).length, runs]).toEqual([1, 2]);
  });

  it('end all streams and tell why where the log cannot be followed any more', async () => {
    const memory = openMemoryEventStore();
    const failures: unknown[] = [];
    const bug = new Error('a bug');
    const live = openLiveUpdates({
      store: memory,
      feed: { run: () => Promise.reject(bug) },
      onFailure: (failure) => void failures.push(failure),
    });
    const follower = await follow(live, ofTenant);
    expect(await read(follower, 1)).toEqual([]);
    expect([failures, live.clients()]).toEqual([[bug], 0]);
  });
});

describeWithPostgres('live updates on Postgres', () => {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((close) => close()));
  });
  liveSuite(async () => {
    const database = await freshDatabase();
    const store = await openPostgresEventStore(database.url);
    opened.push(async () => {
      await store.close();
      await database.drop();
    });
    return store;
  });
});
