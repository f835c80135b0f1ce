import { describe, expect, it } from 'vitest';
import { crc64Avro } from './avro/crc64-avro.ts';
import { decodeEvent, encodeEvent, isValidEvent } from './event-codec.ts';
import { eventTypes, type EventType } from './event-registry.ts';
import { exampleData } from './examples.ts';
import type { OrderPlacedData, PaymentCapturedData } from './generated/events.ts';

const orderId = '44c39432-5a4f-5efb-ae5c-5d37e5a3f9c5';

/** Made with fastavro 1.x (canonical form and body) and a CRC-64-AVRO written from the specification, not with avsc. */
const goldenPayment =
  'c301b67eeb013d8f566e4834346333393433322d356134662d356566622d616535632d35643337653561336639633506702d31107073702dc3a92d31feffffffffffff1f0642524c';
const goldenPlacement =
  'c30180e263059dd866e94834346333393433322d356134662d356566622d616535632d3564333765356133663963350006632d3106455552020231066d756704ec0e0002064d756700d81d00c80100a01f0206702d310863617264a01f00020873686f70066f6e650002026b0841413d3d';

const payment: PaymentCapturedData = {
  orderId,
  paymentId: 'p-1',
  providerId: 'psp-é-1',
  amount: Number.MAX_SAFE_INTEGER,
  currency: 'BRL',
};
const placement: OrderPlacedData = {
  orderId,
  reference: null,
  customerId: 'c-1',
  currency: 'EUR',
  lines: [{ lineId: '1', sku: 'mug', quantity: 2, unitPrice: 950, tax: 0, name: 'Mug' }],
  totals: { subtotal: 1900, discount: 0, shipping: 100, tax: 0, total: 2000 },
  payments: [{ paymentId: 'p-1', method: 'card', amount: 2000 }],
  metadata: { shop: 'one' },
  sealed: { keyId: 'k', box: 'AA==' },
};

describe('Avro single-object encoding', () => {
  it('gives the bytes that another implementation gives', () => {
    expect(encodeEvent('PaymentCaptured', payment).toString('hex')).toBe(goldenPayment);
    expect(encodeEvent('OrderPlaced', placement).toString('hex')).toBe(goldenPlacement);
  });

  it('reads the bytes that another implementation wrote', () => {
    const read = (hex: string) => decodeEvent(Buffer.from(hex, 'hex'));
    expect(read(goldenPayment)).toEqual({ type: 'PaymentCaptured', version: 1, data: payment });
    expect(read(goldenPlacement)).toEqual({ type: 'OrderPlaced', version: 1, data: placement });
  });

  it('uses the fingerprints of the Avro specification', () => {
    // The test cases that come with the specification: share/test/data/schema-tests.txt, `"null"` and `"int"`.
    expect(crc64Avro('"null"').readBigInt64LE()).toBe(7195948357588979594n);
    expect(crc64Avro('"int"').readBigInt64LE()).toBe(8247732601305521295n);
  });

  it('has an example of every registered event', () => {
    expect(Object.keys(exampleData).sort()).toEqual([...eventTypes].sort());
  });

  it.each(eventTypes)('gives a %s back as it was', (type) => {
    const data = exampleData[type];
    expect(isValidEvent(type, data)).toBe(true);
    expect(decodeEvent(encodeEvent(type, data))).toEqual({ type, version: 1, data });
    expect(JSON.parse(JSON.stringify(data))).toEqual(data);
  });
});

describe('what is no event', () => {
  const honest = encodeEvent('OrderPlaced', exampleData.OrderPlaced);

  it.each([
    ['nothing at all', Buffer.alloc(0)],
    ['a foreign marker', Buffer.concat([Buffer.from([0x00, 0x01]), honest.subarray(2)])],
    ['the magic byte of a schema registry', Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), honest.subarray(10)])],
    ['an unknown fingerprint', Buffer.concat([honest.subarray(0, 2), Buffer.alloc(8, 7), honest.subarray(10)])],
    ['trailing bytes', Buffer.concat([honest, Buffer.from([0])])],
    ['too many bytes', Buffer.concat([honest, Buffer.alloc(1 << 20)])],
    ['JSON', Buffer.from(JSON.stringify(exampleData.OrderPlaced))],
  ])('is refused: %s', (_, bytes) => {
    expect(() => decodeEvent(bytes)).toThrow();
  });

  it('is refused wherever it is cut', () => {
    for (let length = 0; length < honest.length; length += 1) {
      expect(() => decodeEvent(honest.subarray(0, length)), `cut at ${length}`).toThrow();
    }
  });

  it.each<[string, EventType, object]>([
    ['a missing field', 'OrderCancelled', { orderId }],
    ['a wrong type', 'OrderCancelled', { orderId, reason: 7 }],
    ['a fraction of money', 'PaymentCaptured', { ...payment, amount: 1.5 }],
    ['an unsafe integer', 'PaymentCaptured', { ...payment, amount: 2 ** 53 }],
    ['an unknown enum symbol', 'OrderSignalNoted', { orderId, signal: 'lost' }],
    ['an undeclared field', 'OrderCancelled', { orderId, reason: 'x', token: 'secret' }],
  ])('is not valid: %s', (_, type, data) => {
    expect(isValidEvent(type, data)).toBe(false);
  });

  it('is not encoded', () => {
    expect(() => encodeEvent('PaymentCaptured', { ...payment, amount: 2 ** 53 })).toThrow();
    expect(() => encodeEvent('OrderCancelled', { orderId })).toThrow();
  });
});
