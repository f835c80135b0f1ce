import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { Position } from '../../../schemas/envelope.ts';
import type { IncomingRecord } from '../../kafka/port.ts';
import type { Checkpoint } from '../port.ts';
import { storePositionOf } from '../store-position.ts';
import { printOf, toCheckpoint, toPlace } from './place.ts';

const positions = fc.option(fc.stringMatching(/^[0-9a-f]{8}\.\d{1,9}\.\d{1,3}$/).map((text) => text as Position));
const records = fc.record({
  topic: fc.constant('order.events'),
  partition: fc.nat(5),
  offset: fc.nat(),
  timestampMs: fc.nat(),
  key: fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))),
  value: fc.option(fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes))),
});

it('a checkpoint is the place again, and tells the position of the store to whoever knows no feed', () => {
  fc.assert(
    fc.property(
      positions,
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      records,
      (position, offset, record) => {
        const place = { position, offset, print: printOf(record) };
        expect(toPlace(toCheckpoint(place))).toEqual(place);
        expect(storePositionOf(toCheckpoint(place))).toBe(position);
      },
    ),
  );
});

it('takes no checkpoint of another feed for its own', () => {
  for (const text of ['3f0c1d2e.812.1', '', '@', '@0.00000000', '3f0c1d2e.812.1@7', '@7.xyz', '@-1.00000000']) {
    expect(toPlace(text as Checkpoint)).toBeNull();
  }
  expect(storePositionOf('3f0c1d2e.812.1' as Checkpoint)).toBe('3f0c1d2e.812.1');
});

it('a record that was published again has another print, though it says the same', () => {
  const record: IncomingRecord = {
    ...{ topic: 'order.events', partition: 0, offset: 7, timestampMs: 1_000 },
    ...{ key: Buffer.from('order'), value: Buffer.from('placed') },
  };
  expect(printOf({ ...record, offset: 9, partition: 3 })).toBe(printOf(record));
  expect(printOf({ ...record, timestampMs: 1_001 })).not.toBe(printOf(record));
  expect(printOf({ ...record, value: Buffer.from('paid') })).not.toBe(printOf(record));
  expect(printOf({ ...record, key: null })).not.toBe(printOf(record));
});
