import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroWriter, type AvroWriter } from '../avro/writer.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { AmendmentInput, OrderInput } from '../commands.ts';
import type { AmendOrderPayload, CommandMessage, PlaceOrderPayload } from '../generated/messages.ts';
import { exampleOrderId } from '../examples.ts';
import { orderIdOf, type CommandId, type TenantId } from '../ids.ts';
import { exampleOutcomes, examplePayloads } from '../message-examples.ts';
import { allCommandWriters, allOutcomeWriters, commandWriter } from '../message-writers.ts';
import { decodeCommandRecord, encodeCommandRecord } from './command-record.ts';
import { decodeOutcomeRecord, encodeOutcomeRecord } from './outcome-record.ts';
import type { WireRecord } from './record.ts';
import type { WireSchemas } from './wire-schemas.ts';

const tenantId = 'default' as TenantId;
const commandId = 'checkout-1' as CommandId;
const envelope = { tenantId, commandId, orderId: exampleOrderId };
const messages = Object.entries(examplePayloads).map(([type, payload]) => ({ type, payload }) as CommandMessage);

const all: readonly AvroWriter[] = [...allCommandWriters, ...allOutcomeWriters];
const registry: WireSchemas = { idOf: (writer) => all.indexOf(writer) + 1, byId: (schemaId) => all[schemaId - 1] };

/** What a Kafka client hands over: bytes everywhere. */
function received({ key, value, headers }: WireRecord) {
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
  return {
    key: Buffer.from(key) as Buffer | null,
    value: value as Buffer | null,
    headers: Object.fromEntries(bytes) as Record<string, Buffer | Buffer[]>,
  };
}

/** What is typed by hand for the handlers and what the schemas say is one shape: this compiles, or it does not. */
const asTyped = (order: PlaceOrderPayload): OrderInput => order;
const asAmended = (amendment: AmendOrderPayload): AmendmentInput => amendment;

const amount = fc.nat(1_000_000);
const word = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' });
const payloads: fc.Arbitrary<PlaceOrderPayload> = fc.record(
  {
    reference: word,
    customerId: word,
    currency: fc.constantFrom('EUR', 'BRL'),
    lines: fc.array(
      fc.record(
        { sku: word, quantity: fc.integer({ min: 1 }), unitPrice: amount, tax: amount, name: word },
        { requiredKeys: ['sku', 'quantity', 'unitPrice'] },
      ),
      { maxLength: 4 },
    ),
    shippingFee: amount,
    discount: fc.constantFrom(0, Number.MAX_SAFE_INTEGER),
    shippingAddress: fc.record(
      { name: word, line1: word, line2: word, city: word, region: word, postalCode: word, country: word },
      { requiredKeys: ['name', 'line1', 'city', 'postalCode', 'country'] },
    ),
    email: word,
    payments: fc.array(fc.record({ method: word, amount, token: word }, { requiredKeys: ['method'] }), {
      maxLength: 3,
    }),
    metadata: fc.dictionary(word, word, { noNullPrototype: true }),
    occurredAt: word,
  },
  { requiredKeys: ['customerId', 'currency', 'lines', 'payments'] },
);

describe.each([
  ['single-object encoding', undefined],
  ['the frame of a schema registry', registry],
])('a command in %s', (_, schemas) => {
  it.each(messages)('comes back in the JSON shape of HTTP: $type', (message) => {
    const record = encodeCommandRecord(message, envelope, schemas);
    expect(record).toMatchObject({ topic: 'order.commands', key: exampleOrderId });
    expect(decodeCommandRecord(received(record), schemas)).toStrictEqual({ kind: 'command', ...envelope, message });
  });

  it('has the JSON that an HTTP body of it has, whatever is left out: one payload, one hash', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const message = { type: 'PlaceOrder', payload } as const;
        const read = decodeCommandRecord(received(encodeCommandRecord(message, envelope, schemas)), schemas);
        if (read.kind !== 'command' || read.message.type !== 'PlaceOrder') throw new Error(JSON.stringify(read));
        const body = JSON.parse(JSON.stringify(payload)) as PlaceOrderPayload;
        expect(canonicalJson(asTyped(read.message.payload))).toBe(canonicalJson(body));
      }),
    );
  });

  it.each(Object.values(exampleOutcomes))('has an outcome that is always the same bytes: $outcome', (outcome) => {
    const record = encodeOutcomeRecord(outcome, tenantId, schemas);
    expect(record).toMatchObject({ topic: 'order.command-outcomes', key: exampleOrderId });
    expect(decodeOutcomeRecord(received(record), schemas)).toStrictEqual({ kind: 'outcome', outcome });
    expect(encodeOutcomeRecord({ ...outcome }, tenantId, schemas).value).toEqual(record.value);
  });
});

it('an amendment and a placement are typed as the handlers take them', () => {
  expect(asAmended(examplePayloads.AmendOrder)).toBe(examplePayloads.AmendOrder);
  expect(asTyped(examplePayloads.PlaceOrder)).toBe(examplePayloads.PlaceOrder);
});

describe('a command that its publisher wrote with a schema of his own', () => {
  const fields = [
    { name: 'clerk', type: 'string' },
    { name: 'reason', type: 'string' },
  ];
  const own = avroWriter({ type: 'record', name: 'CancelOrder', namespace: 'ordercenter.commands', fields });
  const stranger = avroWriter({ type: 'record', name: 'CancelOrder', namespace: 'shop', fields });
  const schemas: WireSchemas = { ...registry, byId: (id) => ({ 41: own, 42: stranger })[id] };
  const record = received(encodeCommandRecord({ type: 'CancelOrder', payload: { reason: 'x' } }, envelope));
  const framed = (id: number) =>
    Buffer.concat([Buffer.from([0, 0, 0, 0, id]), own.type.toBuffer({ clerk: 'c', reason: 'late' })]);

  it('is read where the registry knows the schema and it resolves to ours', () => {
    expect(decodeCommandRecord({ ...record, value: framed(41) }, schemas)).toMatchObject({
      message: { type: 'CancelOrder', payload: { reason: 'late' } },
    });
  });

  it('is refused where it is of another namespace, or unknown', () => {
    expect(decodeCommandRecord({ ...record, value: framed(42) }, schemas)).toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
    });
    expect(decodeCommandRecord({ ...record, value: framed(43) }, schemas)).toMatchObject({ code: 'SCHEMA_UNKNOWN' });
  });
});

describe('a record that is no command', () => {
  const place = { type: 'PlaceOrder', payload: examplePayloads.PlaceOrder } as const;
  const honest = received(encodeCommandRecord(place, envelope));
  const headers = (over: Record<string, Buffer | Buffer[]>) => ({ ...honest, headers: { ...honest.headers, ...over } });
  const text = (value: string) => Buffer.from(value);
  const without = (name: string) => ({
    ...honest,
    headers: Object.fromEntries(Object.entries(honest.headers).filter(([each]) => each !== name)),
  });
  const foreignOrder = '44c39432-5a4f-5efb-ae5c-5d37e5a3f9c5';

  it.each([
    ['no value', { ...honest, value: null }, 'VALUE_MISSING'],
    ['JSON', { ...honest, value: text('{"reason":"x"}') }, 'FRAME_UNKNOWN'],
    ['an event', { ...honest, value: Buffer.from('c301b67eeb013d8f566e00', 'hex') }, 'SCHEMA_UNKNOWN'],
    ['no command-id', without('command-id'), 'HEADER_MISSING'],
    ['two command-ids', headers({ 'command-id': [text('a'), text('b')] }), 'HEADER_INVALID'],
    ['a command-id with a blank', headers({ 'command-id': text('a b') }), 'HEADER_INVALID'],
    ['an impossible tenant', headers({ 'tenant-id': text('a~b') }), 'HEADER_INVALID'],
    ['no key', { ...honest, key: null }, 'KEY_MISSING'],
    ['a key that is no order id', { ...honest, key: text('order-1') }, 'KEY_FOREIGN'],
    ['an order id in capitals', { ...honest, key: text(exampleOrderId.toUpperCase()) }, 'KEY_FOREIGN'],
    ['a placement under the key of another order', { ...honest, key: text(foreignOrder) }, 'KEY_FOREIGN'],
    ['a placement of another tenant', headers({ 'tenant-id': text('other') }), 'KEY_FOREIGN'],
    ['a body that is cut', { ...honest, value: honest.value?.subarray(0, 20) ?? null }, 'BODY_TRUNCATED'],
  ])('is refused for what it is: %s', (_, record, code) => {
    expect(decodeCommandRecord(record)).toMatchObject({ kind: 'unreadable', code });
  });

  it('without a tenant is of the tenant default, as on HTTP', () => {
    expect(decodeCommandRecord(without('tenant-id'))).toMatchObject({ kind: 'command', tenantId: 'default' });
  });

  it('of another tenant has another order', () => {
    const other = 'other' as TenantId;
    const own = { tenantId: other, commandId, orderId: orderIdOf(other, commandId) };
    expect(decodeCommandRecord(received(encodeCommandRecord(place, own)))).toMatchObject(own);
  });

  it('never throws, whatever bytes come', () => {
    const head = Buffer.concat([Buffer.from([0xc3, 0x01]), commandWriter('AmendOrder').fingerprint]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
        const value = Buffer.concat([head, Buffer.from(noise)]);
        const key = text(foreignOrder);
        expect(['command', 'unreadable']).toContain(decodeCommandRecord({ ...honest, key, value }).kind);
      }),
      { numRuns: 2_000 },
    );
  });
});
