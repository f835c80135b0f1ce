/**
 * Places an order on Kafka and waits for its outcome, then cancels it and waits again.
 *
 *     npm install kafkajs avsc uuid
 *     node docs/examples/publish-commands.mjs 127.0.0.1:9092
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { Kafka, Partitioners, logLevel } from 'kafkajs';
import { v5 } from 'uuid';

const namespace = '80f8843e-7c5d-53db-a1a4-35cb0ac4aa49';

/** An .avsc file, and single-object encoding: C3 01, CRC-64-AVRO of the schema (little-endian), the body. */
function message(path) {
  const type = avro.Type.forSchema(JSON.parse(readFileSync(new URL(`../../schemas/${path}`, import.meta.url), 'utf8')));
  const head = Buffer.concat([Buffer.from([0xc3, 0x01]), crc64(JSON.stringify(type.schema()))]);
  return {
    encode: (payload) => Buffer.concat([head, type.toBuffer(payload)]),
    decode: (value) => {
      if (!value.subarray(0, head.length).equals(head)) throw new Error('written with another schema');
      return type.fromBuffer(value.subarray(head.length));
    },
  };
}

/** The Rabin fingerprint of the Avro specification. */
function crc64(text) {
  const empty = 0xc15d213aa4d7a795n;
  let fingerprint = empty;
  for (const byte of Buffer.from(text)) {
    fingerprint ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) fingerprint = (fingerprint >> 1n) ^ (empty & -(fingerprint & 1n));
    fingerprint = BigInt.asUintN(64, fingerprint);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(fingerprint);
  return bytes;
}

const placeOrder = message('commands/PlaceOrder.v1.avsc');
const cancelOrder = message('commands/CancelOrder.v1.avsc');
const commandOutcome = message('outcomes/CommandOutcome.v1.avsc');

/** The order that a placement makes is known before it is sent: it is the key of all its commands. */
const orderIdOf = (tenant, commandId) => v5(commandId, v5(tenant, namespace));

const kafka = new Kafka({ brokers: [process.argv[2] ?? '127.0.0.1:9092'], logLevel: logLevel.ERROR });
// The partitioner of Java's clients (murmur2), so that every publisher finds the order's one partition.
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
const consumer = kafka.consumer({ groupId: randomUUID() });

const waiting = new Map();
const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
await Promise.all([producer.connect(), consumer.connect()]);
await consumer.subscribe({ topic: 'order.command-outcomes', fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message: { headers, value } }) => {
    waiting.get(String(headers['command-id']))?.(commandOutcome.decode(value));
  },
});
await joined;

async function publish(command, { orderId, commandId, payload }) {
  const outcome = new Promise((resolve) => waiting.set(commandId, resolve));
  const headers = { 'command-id': commandId, 'tenant-id': 'default' };
  const record = { key: orderId, value: command.encode(payload), headers };
  await producer.send({ topic: 'order.commands', acks: -1, messages: [record] });
  const late = new Promise((_, reject) => setTimeout(reject, 30_000, new Error(`no outcome of ${commandId}`)).unref());
  return Promise.race([outcome, late]);
}

const placing = `node-${randomUUID()}`;
const orderId = orderIdOf('default', placing);
const order = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'mug-blue', quantity: 2, unitPrice: 2_245 }],
  shippingFee: 500,
  payments: [{ method: 'bank_slip' }],
};
const cancelling = `${placing}-cancel`;
console.log(JSON.stringify(await publish(placeOrder, { orderId, commandId: placing, payload: order })));
console.log(JSON.stringify(await publish(cancelOrder, { orderId, commandId: cancelling, payload: { reason: 'changed my mind' } }))); // prettier-ignore
await Promise.all([consumer.disconnect(), producer.disconnect()]);
