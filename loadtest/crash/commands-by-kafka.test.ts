import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners, type Admin } from 'kafkajs';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { startKafkaBroker, type KafkaBroker } from '../../infra/local/kafka-broker.ts';
import type { CommandOutcome } from '../../schemas/generated/messages.ts';
import { orderIdOf, type CommandId, type TenantId } from '../../schemas/ids.ts';
import { commandTopic, encodeCommandRecord } from '../../schemas/wire/command-record.ts';
import { decodeOutcomeRecord, outcomeTopic } from '../../schemas/wire/outcome-record.ts';
import { describeWithKafkaBroker } from '../../test/kafka.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { launchRole, type RoleProcess } from '../system/role-process.ts';
import { until } from '../system/until.ts';

const tenantId = 'default' as TenantId;
const soon = { withinMs: 40_000, everyMs: 50 };

let stack: AsyncDisposableStack;
let folder: string;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'order-center-commands-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
});
afterEach(() => stack.disposeAsync());

describeWithPostgres('the role of orders on Kafka', () => {
  describeWithKafkaBroker('on a broker of its own', () => {
    it('tells the outcome of a command that was appended before it was killed', async () => {
      const { broker, admin, database, launch } = await openWorld();
      await make(admin, [commandTopic, `${commandTopic}.dead-letter`]);
      const first = await launch();
      await publish(broker, ['before']);
      // There is no topic for the outcome yet: the event is appended, and the outcome waits.
      expect(await until(async () => (await database.commandIds()).includes('before'), soon)).toBe(true);
      await first.kill();
      await make(admin, [outcomeTopic]);
      const outcomes = await read(broker);
      await launch();
      expect(await until(() => outcomes().length > 0, soon)).toBe(true);
      const orderId = orderIdOf(tenantId, 'before' as CommandId);
      expect(outcomes()).toEqual([{ commandId: 'before', outcome: 'accepted', orderId, version: 1 }]);
      expect(await database.commandIds()).toEqual(['before']);
    }, 180_000);

    it('answers every command once the broker is back, and takes others by HTTP meanwhile', async () => {
      const { broker, admin, database, launch } = await openWorld();
      await make(admin, [commandTopic, `${commandTopic}.dead-letter`, outcomeTopic]);
      const role = await launch();
      const ids = Array.from({ length: 200 }, (_, n) => `k${n}`);
      await publish(broker, ids);
      await until(async () => (await database.commandIds()).length > 0, soon);
      await broker.kill();
      expect(await placeOverHttp(role, 'meanwhile')).toBe(201);
      expect((await fetch(`${role.urls[0] ?? ''}/readyz`)).status).toBe(200);
      await broker.startAgain();
      const outcomes = await read(broker);
      await publish(broker, ['after']);
      const told = (): Set<string> => new Set(outcomes().map(({ commandId }) => commandId));
      expect(await until(() => told().size === 201, soon)).toBe(true);
      expect(new Set(outcomes().map((outcome) => JSON.stringify(outcome))).size).toBe(201);
      expect([...(await database.commandIds())].sort()).toEqual([...ids, 'after', 'meanwhile'].sort());
      expect(await role.terminate()).toBe(0);
    }, 240_000);
  });
});

async function openWorld() {
  const broker = await startKafkaBroker();
  stack.defer(() => broker.stop());
  const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  stack.defer(() => admin.disconnect());
  const fresh = await freshDatabase();
  stack.defer(() => fresh.drop());
  const environment = { EVENT_STORE_URL: fresh.url, DATA_DIR: folder, FEED_URL: `kafka://${broker.brokers}` };
  const launch = async (): Promise<RoleProcess> => {
    const role = await launchRole('order-commands', { environment, folder });
    stack.defer(() => role.kill());
    return role;
  };
  const database = { commandIds: () => commandIdsIn(fresh.url) };
  return { broker, admin, database, launch };
}

async function make(admin: Admin, topics: readonly string[]): Promise<void> {
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 3 })), waitForLeaders: true });
}

/** Of placements in the store; one that the role has not made ready yet holds none. */
async function commandIdsIn(url: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ command_id: string }>(
      "select command_id from order_center.events where type = 'OrderPlaced'",
    );
    return rows.map(({ command_id: id }) => id);
  } catch {
    return [];
  } finally {
    await client.end();
  }
}

async function publish({ brokers }: KafkaBroker, commandIds: readonly string[]): Promise<void> {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = commandIds.map((id) => {
    const commandId = id as CommandId;
    const { key, value, headers } = encodeCommandRecord(
      { type: 'PlaceOrder', payload: order },
      { tenantId, commandId, orderId: orderIdOf(tenantId, commandId) },
    );
    return { key, value, headers: { ...headers } };
  });
  await producer.send({ topic: commandTopic, messages });
  await producer.disconnect();
}

async function read({ brokers }: KafkaBroker): Promise<() => readonly CommandOutcome[]> {
  const outcomes: CommandOutcome[] = [];
  const consumer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).consumer({ groupId: 'reader' });
  await consumer.connect();
  stack.defer(() => consumer.disconnect());
  await consumer.subscribe({ topics: [outcomeTopic], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      const outcome = decodeOutcomeRecord(message);
      if (outcome.kind === 'unreadable') throw new Error(outcome.code);
      outcomes.push(outcome.outcome);
      return Promise.resolve();
    },
  });
  return () => outcomes;
}

const order = {
  customerId: 'c1',
  currency: 'EUR',
  lines: [{ sku: 'cup', quantity: 1, unitPrice: 500 }],
  payments: [{ method: 'bank_slip' }],
};

async function placeOverHttp({ urls }: RoleProcess, key: string): Promise<number> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const answer = await fetch(`${urls[0] ?? ''}/v1/orders`, { method: 'POST', headers, body: JSON.stringify(order) });
  await answer.body?.cancel();
  return answer.status;
}
