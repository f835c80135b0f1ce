import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { relayConsumer } from '../../infra/event-feed/port.ts';
import { openEventStore } from '../../infra/event-store/open.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { freePort } from '../../infra/local/free-port.ts';
import { startKafkaBroker, type KafkaBroker } from '../../infra/local/kafka-broker.ts';
import { openReadStore } from '../../infra/read-store/open.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { applyTopics } from '../../infra/topics/apply.ts';
import { openTopics } from '../../infra/topics/open.ts';
import { topicList } from '../../infra/topics/topic-list.ts';
import { launchRole, type RoleProcess } from '../../loadtest/system/role-process.ts';
import { until } from '../../loadtest/system/until.ts';
import { describeWithKafkaBroker } from '../../test/kafka.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { openTcpSwitch, type TcpSwitch } from '../../test/tcp-switch.ts';
import { log, logOf, placeOrders, readEvents, readTopics } from './test-world.ts';

/** The real role as processes of its own, on a real Postgres and a Kafka behind an address that can go dark. */
type World = {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly launch: () => Promise<RoleProcess>;
  /** The one that was there first. */
  readonly relays: readonly RoleProcess[];
};

let kafka: KafkaBroker;
let address: TcpSwitch;
let stack: AsyncDisposableStack;

const caughtUpWithinMs = 60_000;

/** Orders placed one after the other until it is told to stop; at least as many as asked. */
function keepPlacing(store: EventStore) {
  let placed = 0;
  const stopping = new AbortController();
  const running = (async () => {
    for (; !stopping.signal.aborted; placed += 1) await placeOrders(store, 1, placed);
  })();
  return {
    placed: () => placed,
    atLeast: async (count: number) => {
      const there = placed + count;
      expect(await until(() => placed >= there, { withinMs: 60_000 })).toBe(true);
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function openWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'order-center-relay-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const database = await freshDatabase();
  stack.defer(() => database.drop());
  const store = await openEventStore(database.url);
  stack.defer(() => store.close());
  const readStore = openReadStore(database.url);
  stack.defer(() => readStore.close());
  const environment = {
    EVENT_STORE_URL: database.url,
    DATA_DIR: folder,
    FEED_URL: `kafka://127.0.0.1:${address.port}`,
  };
  const launch = async (): Promise<RoleProcess> => {
    const relay = await launchRole('event-relay', { environment, folder });
    stack.defer(() => relay.kill());
    return relay;
  };
  return { store, readStore, launch, relays: [await launch()] };
}

async function caughtUp({ store, readStore }: World): Promise<number> {
  const startMs = performance.now();
  const isThere = async () => (await readStore.loadCheckpoint(relayConsumer, 'log')) === (await store.head());
  expect(await until(isThere, { withinMs: caughtUpWithinMs })).toBe(true);
  return performance.now() - startMs;
}

/** I8 and I9, and the line that later runs compare. */
async function settle(world: World, fault: string, facts: Readonly<Record<string, string | number>>): Promise<void> {
  const consistentMs = await caughtUp(world);
  const own = `kafka://${kafka.brokers}`;
  const records = await readTopics(kafka.brokers, openTopics(own, log), '');
  const ofStore = records.filter(({ headers }) => String(headers?.epoch) === world.store.epoch);
  const { events, duplicates, outOfOrder } = readEvents(ofStore);
  const wanted = await logOf(world.store);
  const published = new Map(events.map((event) => [event.eventId as string, event]));
  const lost = [...wanted.keys()].filter((id) => !published.has(id)).length;
  const told = { ...facts, events: wanted.size, lost, duplicates, out_of_order: outOfOrder.length };
  const fields = Object.entries(told).map(([name, value]) => `${name}=${value}`);
  const result = lost === 0 && outOfOrder.length === 0 ? 'ok' : 'failed';
  // eslint-disable-next-line no-console -- the line that every fault run prints
  console.log(`FAULT ${fault} ${fields.join(' ')} t_consistent=${(consistentMs / 1_000).toFixed(1)}s result=${result}`);
  expect(published).toEqual(wanted);
  expect(outOfOrder).toEqual([]);
}

async function isHolder(relay: RoleProcess): Promise<boolean> {
  return (await relay.metric('lease_held'))?.get(`{lease="${relayConsumer}"}`) === 1;
}

describeWithPostgres('the relay as processes', () => {
  describeWithKafkaBroker('on a Kafka of its own', () => {
    beforeAll(async () => {
      const port = await freePort();
      address = await openTcpSwitch(port);
      kafka = await startKafkaBroker({ port, advertisedPort: address.port });
      await applyTopics(openTopics(`kafka://${kafka.brokers}`, log), topicList);
    }, 120_000);
    afterAll(async () => {
      await kafka.stop();
      await address.close();
    });
    beforeEach(() => {
      stack = new AsyncDisposableStack();
    });
    afterEach(() => stack.disposeAsync());

    it('loses nothing and keeps every order when the one that works is killed, again and again', async () => {
      const world = await openWorld();
      const relays = [...world.relays, await world.launch()];
      const load = keepPlacing(world.store);
      for (let kill = 0; kill < 3; kill += 1) {
        await load.atLeast(40);
        const holders = await Promise.all(relays.map(isHolder));
        const [holder] = relays.splice(Math.max(0, holders.indexOf(true)), 1);
        await holder?.kill();
        relays.push(await world.launch());
      }
      await load.stop();
      await settle(world, 'relay-killed', { kills: 3, relays: 2 });
      expect(await relays[0]?.terminate()).toBe(0);
    }, 180_000);

    it('publishes after a pause only what others may have published as well', async () => {
      const world = await openWorld();
      const [paused] = world.relays;
      await world.launch();
      const load = keepPlacing(world.store);
      await load.atLeast(20);
      paused?.pause();
      await load.atLeast(200);
      paused?.resume();
      await load.atLeast(20);
      await load.stop();
      await settle(world, 'relay-paused', { relays: 2 });
    }, 180_000);

    it('goes on where the broker is killed and comes back', async () => {
      const world = await openWorld();
      const load = keepPlacing(world.store);
      await load.atLeast(40);
      await kafka.kill();
      await load.atLeast(100);
      await kafka.startAgain();
      await load.atLeast(20);
      await load.stop();
      await settle(world, 'broker-killed', { kills: 1 });
    }, 180_000);

    it('stays small while Kafka is silent and the log grows, and catches up', async () => {
      const world = await openWorld();
      const [relay] = world.relays;
      const load = keepPlacing(world.store);
      await load.atLeast(40);
      const before = await memoryOf(relay);
      address.silence();
      const silentMs = 20_000;
      const placedBefore = load.placed();
      await new Promise((resolve) => setTimeout(resolve, silentMs));
      const grown = (await memoryOf(relay)) - before;
      const placed = load.placed() - placedBefore;
      address.to(kafka.port, 'cut');
      await load.stop();
      await settle(world, 'kafka-silent', { silent_s: silentMs / 1_000, placed, grown_mb: Math.round(grown / 1e6) });
      expect(placed).toBeGreaterThan(0);
      expect(grown).toBeLessThan(100e6);
      expect((await relay?.metric('relay_lag_events'))?.get('{relay="event-relay"}')).toBe(0);
    }, 180_000);
  });
});

async function memoryOf(relay: RoleProcess | undefined): Promise<number> {
  const text = await (await fetch(`${relay?.urls[0] ?? ''}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
}
