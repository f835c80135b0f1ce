import { CompressionTypes, Kafka, logLevel, type Message } from 'kafkajs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithKafka, kafkaBrokers } from '../../../test/kafka.ts';
import type { OutgoingRecord } from '../../../infra/kafka/port.ts';
import type { CommandMessage } from '../../../schemas/generated/messages.ts';
import { answered, commandRecord, openShop, order, orderOf, placement, untilTrue, type TestShop } from './test-door.ts';

let stack: AsyncDisposableStack;
let shop: TestShop;

/** The Kafka rows of the list of bad input: what each is told, and that nobody waits for it. */
describeWithKafka('a bad record on the topic of commands', () => {
  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    // One partition, so that what is good stands right behind what is bad.
    shop = await openShop(stack, { partitions: 1 });
  });
  afterEach(() => stack.disposeAsync());

  const honest = placement('bad');
  const valueOf = (record: OutgoingRecord): Buffer => record.value ?? Buffer.alloc(0);
  const withValue = (value: Buffer | null): OutgoingRecord => ({ ...honest, value });
  const backfill = (kind: 'paid' | 'cancelled'): OutgoingRecord =>
    commandRecord('bad', { type: 'BackfillOrder', payload: { ...order, facts: [{ kind, occurredAt: null }] } });
  const priced = (unitPrice: number): OutgoingRecord =>
    placement('bad', { ...order, lines: [{ sku: 'mug', quantity: 1, unitPrice }] });
  const manyHeaders = {
    ...honest.headers,
    ...Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`h${n}`, 'x'])),
  };
  const oddHeaders = { ...honest.headers, ['__proto__']: 'x', toString: 'y', constructor: 'z' };
  // Head, no reference, customer, currency: then the lines.
  const untilLines = valueOf(honest).subarray(0, valueOf(honest).indexOf('EUR') + 3);

  const rows: readonly (readonly [string, OutgoingRecord, string])[] = [
    ['another magic byte', withValue(Buffer.from('{"order":1}')), 'FRAME_UNKNOWN'],
    ['fewer than 5 bytes', withValue(Buffer.from([0, 0, 0])), 'FRAME_UNKNOWN'],
    ['an unknown schema id', withValue(Buffer.from([0, 0, 0, 0, 9, 2])), 'SCHEMA_UNKNOWN'],
    ['an unknown fingerprint', withValue(patched(valueOf(honest), 2, [1, 2, 3, 4])), 'SCHEMA_UNKNOWN'],
    ['a body that is cut', withValue(valueOf(honest).subarray(0, -3)), 'BODY_TRUNCATED'],
    ['trailing bytes', withValue(Buffer.concat([valueOf(honest), Buffer.from([0])])), 'BODY_TRAILING_BYTES'],
    ['an unknown branch of a union', withValue(patched(valueOf(honest), 10, [40])), 'BODY_BRANCH_UNKNOWN'],
    [
      'an unknown symbol',
      withValue(differently(backfill('paid'), backfill('cancelled'), [126])),
      'BODY_SYMBOL_UNKNOWN',
    ],
    [
      'an integer beyond 2^53-1',
      // Both prices take four bytes; the number in their place says that it goes on for nine.
      withValue(differently(priced(1_048_577), priced(2_000_000), [...Array<number>(8).fill(0xff), 0x01], 4)),
      'BODY_NUMBER_UNSAFE',
    ],
    [
      'a block that claims a thousand million items',
      withValue(Buffer.concat([untilLines, Buffer.from([0x80, 0xa8, 0xd6, 0xb9, 0x07, 0])])),
      'BODY_COUNT_IMPOSSIBLE',
    ],
    [
      'a key __proto__ in a map',
      placement('bad', { ...order, metadata: JSON.parse('{"__proto__":"x"}') as object }),
      'BODY_KEY_FORBIDDEN',
    ],
    ['no value', withValue(null), 'VALUE_MISSING'],
    ['more than 1 MiB', withValue(Buffer.concat([valueOf(honest), Buffer.alloc(1_100_000)])), 'VALUE_TOO_LARGE'],
    ['no key', { ...honest, key: null }, 'KEY_MISSING'],
    ['a key that is not its order', { ...honest, key: orderOf('another') }, 'KEY_FOREIGN'],
    ['no command id', { ...honest, headers: { 'tenant-id': 'default' } }, 'HEADER_MISSING'],
    ['headers named as what every object has', { ...honest, key: null, headers: oddHeaders }, 'KEY_MISSING'],
    ['ten thousand headers', { ...honest, headers: manyHeaders }, 'HEADER_INVALID'],
  ];

  it.each(rows)('goes to the dead letters, and what is behind it is answered at once: %s', async (_, bad, reason) => {
    await shop.openDoor();
    await shop.send(placement('first'));
    await shop.outcomeOf('first');
    const sentAtMs = performance.now();
    await shop.send(bad, placement('good'));
    const good = await shop.outcomeOf('good');
    expect(good.readAtMs - sentAtMs).toBeLessThan(2_000);
    await untilTrue(() => shop.deadLetters().length > 0, 'the dead letter');
    const [letter] = shop.deadLetters();
    expect(letter?.value).toEqual(bad.value);
    expect(letter?.key?.toString()).toEqual(bad.key ?? undefined);
    expect(textsOf(letter?.headers)).toMatchObject({
      'dead-letter-reason': reason,
      'dead-letter-topic': shop.names.commands,
      'dead-letter-partition': '0',
      'dead-letter-offset': '1',
    });
    if (bad.headers === honest.headers) expect(textsOf(letter?.headers)).toMatchObject(honest.headers as object);
    expect(shop.deadLetters()).toHaveLength(1);
    expect(answered(shop)).toEqual(['first', 'good']);
    await untilTrue(async () => (await shop.committed()) === 3, 'the offset passes it');
    expect(await shop.metrics.text()).toContain(`dead_letters_total{reason="${reason}"} 1`);
  });

  it.each<readonly [string, CommandMessage, string]>([
    ['an impossible quantity', message({ lines: [{ sku: 'mug', quantity: 0, unitPrice: 1 }] }), 'INVALID_VALUE'],
    ['no such currency', message({ currency: 'XXX' }), 'INVALID_VALUE'],
    [
      'text that no store can hold',
      message({ lines: [{ sku: 'mug', quantity: 1, unitPrice: 500, name: 'a\0b' }] }),
      'INVALID_VALUE',
    ],
    ['no lines', message({ lines: [] }), 'INVALID_VALUE'],
    ['an amendment of nothing', { type: 'AmendOrder', payload: {} }, 'INVALID_REQUEST'],
    [
      'a fact without its payment',
      { type: 'BackfillOrder', payload: { ...order, facts: [{ kind: 'paid', occurredAt: null }] } },
      'INVALID_REQUEST',
    ],
  ])('is answered, where it can be read and asks what cannot be: %s', async (_, bad, code) => {
    await shop.openDoor();
    await shop.send(commandRecord('bad', bad), placement('good'));
    expect(await shop.outcomeOf('bad')).toMatchObject({
      outcome: 'rejected',
      code,
      version: 0,
      orderId: orderOf('bad'),
    });
    expect(await shop.outcomeOf('good')).toMatchObject({ outcome: 'accepted' });
    expect(await shop.eventsOf(orderOf('bad'))).toEqual([]);
    expect(shop.deadLetters()).toEqual([]);
  });

  it('keeps its reason where its bytes leave no room for one: the letter tells where they are', async () => {
    const tight = await openShop(stack, { partitions: 1, deadLetterBytesMax: 10_000 });
    await tight.openDoor();
    await tight.send(withValue(Buffer.alloc(20_000, 'x')), placement('good'));
    await tight.outcomeOf('good');
    await untilTrue(() => tight.deadLetters().length === 1, 'the dead letter');
    const [letter] = tight.deadLetters();
    expect(letter?.value).toBeNull();
    expect(textsOf(letter?.headers)).toMatchObject({
      'dead-letter-reason': 'FRAME_UNKNOWN',
      'dead-letter-value': 'left out: too large',
      'dead-letter-offset': '0',
    });
  });

  it('is refused by the broker where a megabyte of it would unpack to more', async () => {
    await shop.openDoor();
    const publisher = new Kafka({
      brokers: kafkaBrokers().split(','),
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    }).producer();
    await publisher.connect();
    stack.defer(() => publisher.disconnect());
    const publish = (message: Message) =>
      publisher.send({ topic: shop.names.commands, compression: CompressionTypes.GZIP, messages: [message] });
    const { key, headers } = honest;
    const message = { key: key as string, headers: headers as Record<string, string> };
    await expect(publish({ ...message, value: Buffer.alloc(64 * 1_024 * 1_024) })).rejects.toMatchObject({
      type: 'MESSAGE_TOO_LARGE',
    });
    await publish({ ...message, value: valueOf(honest) });
    expect(await shop.outcomeOf('bad')).toMatchObject({ outcome: 'accepted' });
  });
});

function message(over: object): CommandMessage {
  return { type: 'PlaceOrder', payload: { ...order, ...over } };
}

function patched(bytes: Buffer, at: number, over: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(over, at);
  return copy;
}

/** The first record with other bytes where the two begin to differ, in place of so many of its own. */
function differently(a: OutgoingRecord, b: OutgoingRecord, over: readonly number[], length = over.length): Buffer {
  const [one, other] = [a.value ?? Buffer.alloc(0), b.value ?? Buffer.alloc(0)];
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return Buffer.concat([one.subarray(0, at), Buffer.from(over), one.subarray(at + length)]);
}

function textsOf(headers: object | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}
