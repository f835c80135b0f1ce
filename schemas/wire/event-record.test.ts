import { Kafka } from 'cloudevents';
import type { CloudEvent, KafkaMessage } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AvroWriter } from '../avro/writer.ts';
import type { AnyEvent, Position, RecordedEvent } from '../envelope.ts';
import { categoryOfType, eventTypes } from '../event-registry.ts';
import { allEventWriters } from '../event-writers.ts';
import { exampleData, exampleOrderId } from '../examples.ts';
import {
  fulfillmentStream,
  newEventId,
  orderStream,
  stockStream,
  type CommandId,
  type StreamName,
  type TenantId,
} from '../ids.ts';
import { decodeEventRecord, encodeEventRecord, type EventRecord } from './event-record.ts';
import type { WireSchemas } from './wire-schemas.ts';

const epoch = '3f0c1d2e-0000-4000-8000-000000000001';
const tenantId = 'default' as TenantId;

function streamOf(type: AnyEvent['type']): StreamName {
  switch (categoryOfType(type)) {
    case 'order':
      return orderStream(exampleOrderId);
    case 'stock':
      return stockStream(tenantId, 'mug~blue/7%');
    case 'fulfillment':
      return fulfillmentStream(exampleOrderId);
  }
}

function recorded(type: AnyEvent['type'], over: Partial<RecordedEvent> = {}): RecordedEvent {
  const envelope = {
    position: '3f0c1d2e.812.1' as Position,
    eventId: newEventId(),
    stream: streamOf(type),
    revision: 0,
    type,
    schemaVersion: 1,
    tenantId,
    recordedAt: '2026-11-23T10:00:01.000Z',
    occurredAt: '2026-11-23T10:00:00.000Z',
    origin: 'live',
    commandId: 'checkout-1' as CommandId,
    correlationId: '4bf92f3577b34da6a3ce929d0e0e4736',
    causationId: null,
    data: exampleData[type],
  };
  return { ...envelope, ...over } as RecordedEvent;
}

const published = eventTypes.filter((type) => categoryOfType(type) !== 'fulfillment');

/** A registry that knows every released schema, each under an id of its own. */
const registry: WireSchemas = {
  idOf: (writer: AvroWriter) => 100 + allEventWriters.findIndex(({ fullName }) => fullName === writer.fullName),
  byId: (schemaId) => allEventWriters[schemaId - 100],
};

function encoded(event: RecordedEvent, schemas?: WireSchemas): EventRecord {
  const record = encodeEventRecord(event, epoch, schemas);
  if (record === null) throw new Error(`${event.type} is not published`);
  return record;
}

/** What a Kafka client hands over: bytes everywhere. */
function received({ key, value, headers }: EventRecord) {
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text, 'utf8')] as const);
  return { key: Buffer.from(key), value: value as Buffer | null, headers: Object.fromEntries(bytes) };
}

const envelopes = fc.record(
  {
    revision: fc.nat(),
    recordedAt: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
      .map((date) => date.toISOString()),
    occurredAt: fc.constantFrom(null, '2016-09-04T21:15:19.000Z', '0001-01-01T00:00:00.000Z'),
    origin: fc.constantFrom('live' as const, 'backfill' as const),
    commandId: fc.stringMatching(/^[\x21-\x7e]{1,255}$/).map((text) => text as CommandId),
    correlationId: fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed()),
    causationId: fc.constantFrom(null, newEventId()),
  },
  { requiredKeys: ['revision'] },
);

describe.each([
  ['single-object encoding', undefined],
  ['the frame of a schema registry', registry],
])('an event in %s', (_, schemas) => {
  it('comes back as it was, whatever its type and envelope', () => {
    fc.assert(
      fc.property(fc.constantFrom(...published), envelopes, (type, over) => {
        const event = recorded(type, over);
        const read = decodeEventRecord(received(encoded(event, schemas)), schemas);
        // Strictly: plain objects, not the decoder's classes.
        expect(read).toStrictEqual({ kind: 'event', event, epoch });
      }),
    );
  });

  it.each(published)('is a CloudEvent to the official SDK: %s', (type) => {
    const event = recorded(type, { revision: 7 });
    const { key, value, headers } = encoded(event, schemas);
    const message = { key, value, headers, body: value } as unknown as KafkaMessage;
    const cloudEvent = Kafka.toEvent<Buffer>(message) as CloudEvent<Buffer>;
    expect(cloudEvent.validate()).toBe(true);
    expect(cloudEvent).toMatchObject({
      id: event.eventId,
      specversion: '1.0',
      type,
      subject: event.stream,
      time: event.occurredAt,
      datacontenttype: 'application/avro',
      partitionkey: key,
      sequence: '7',
      recordedtime: event.recordedAt,
      tenantid: 'default',
      commandid: 'checkout-1',
    });
    expect(cloudEvent.data).toEqual(value);
  });
});

describe('topics', () => {
  it('take orders by order id and stock by tenant~sku; a saga has none', () => {
    expect(encoded(recorded('OrderPlaced'))).toMatchObject({ topic: 'order.events', key: exampleOrderId });
    expect(encoded(recorded('StockReserved'))).toMatchObject({ topic: 'stock.events', key: 'default~mug~blue/7%' });
    expect(encodeEventRecord(recorded('StepAttempted'), epoch)).toBeNull();
  });

  it('hold the marks that the contract names', () => {
    const event = recorded('OrderPlaced');
    const { headers, value } = encoded(event);
    expect(headers).toMatchObject({ ce_sequence: '0', position: event.position, epoch });
    expect(value.subarray(0, 2).toString('hex')).toBe('c301');
    expect(encoded(event, registry).value[0]).toBe(0);
  });
});

describe('a record that is no event of ours', () => {
  const honest = received(encoded(recorded('PaymentCaptured')));
  const withHeaders = (over: Record<string, Buffer | Buffer[] | undefined>) => ({
    ...honest,
    headers: { ...honest.headers, ...over },
  });
  const text = (value: string) => Buffer.from(value);

  it.each(Object.keys(honest.headers).filter((name) => !['content-type', 'ce_source', 'ce_time'].includes(name)))(
    'is refused without its header %s',
    (name) => {
      expect(decodeEventRecord(withHeaders({ [name]: undefined }))).toEqual({
        kind: 'unreadable',
        code: 'HEADER_MISSING',
        detail: name,
      });
    },
  );

  it.each([
    ['no value', { ...honest, value: null }, 'VALUE_MISSING'],
    ['an empty value', { ...honest, value: Buffer.alloc(0) }, 'FRAME_UNKNOWN'],
    ['four bytes', { ...honest, value: Buffer.alloc(4) }, 'FRAME_UNKNOWN'],
    ['JSON', { ...honest, value: text('{"orderId":"1"}') }, 'FRAME_UNKNOWN'],
    ['an id that no registry knows', { ...honest, value: Buffer.from([0, 0, 0, 0, 9, 1]) }, 'SCHEMA_UNKNOWN'],
    ['too much', { ...honest, value: Buffer.alloc((1 << 20) + 1) }, 'VALUE_TOO_LARGE'],
    ['no key', { ...honest, key: null }, 'KEY_MISSING'],
    ['an empty key', { ...honest, key: Buffer.alloc(0) }, 'KEY_MISSING'],
    ['another order as key', { ...honest, key: text('44c39432-5a4f-5efb-ae5c-5d37e5a3f9c5') }, 'KEY_FOREIGN'],
    ['a key that is no text', { ...honest, key: Buffer.from([0xff]) }, 'KEY_FOREIGN'],
    ['no headers', { ...honest, headers: undefined }, 'HEADER_MISSING'],
    ['a header twice', withHeaders({ ce_id: [text('a'), text('b')] }), 'HEADER_INVALID'],
    ['a type that never was', withHeaders({ ce_type: text('OrderLost') }), 'HEADER_INVALID'],
    ['a negative revision', withHeaders({ ce_sequence: text('-1') }), 'HEADER_INVALID'],
    ['a revision beyond numbers', withHeaders({ ce_sequence: text('9007199254740993') }), 'HEADER_INVALID'],
    ['a saga’s stream', withHeaders({ ce_subject: text(`fulfillment-${exampleOrderId}`) }), 'HEADER_INVALID'],
    ['a day that never was', withHeaders({ ce_recordedtime: text('2026-02-30T00:00:00Z') }), 'HEADER_INVALID'],
    ['a tenant with a tilde', withHeaders({ ce_tenantid: text('a~b') }), 'HEADER_INVALID'],
    ['the type of another event', withHeaders({ ce_type: text('PaymentVoided') }), 'SCHEMA_INCOMPATIBLE'],
  ])('is refused for what it is: %s', (_, record, code) => {
    expect(decodeEventRecord(record)).toMatchObject({ kind: 'unreadable', code });
  });

  it('is refused wherever its value is cut, and with anything behind it', () => {
    const { value } = honest;
    if (value === null) throw new Error('the example has a value');
    for (let length = 0; length < value.length; length += 1) {
      expect(decodeEventRecord({ ...honest, value: value.subarray(0, length) }).kind, `cut at ${length}`).toBe(
        'unreadable',
      );
    }
    const longer = { ...honest, value: Buffer.concat([value, Buffer.from([0])]) };
    expect(decodeEventRecord(longer)).toMatchObject({ code: 'BODY_TRAILING_BYTES' });
  });

  it('never throws, whatever bytes come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 12 }), (noise, head) => {
        const value = Buffer.concat([honest.value?.subarray(0, 10) ?? Buffer.alloc(0), Buffer.from(noise)]);
        expect(['unreadable', 'event']).toContain(decodeEventRecord({ ...honest, value }).kind);
        const record = { ...honest, value: Buffer.concat([Buffer.from(head), Buffer.from(noise)]) };
        expect(decodeEventRecord(record).kind).toBe('unreadable');
      }),
      { numRuns: 2_000 },
    );
  });
});
