import { expect, it } from 'vitest';

import { newEventId } from '../../../schemas/ids.ts';
import { admitEvent } from './admission.ts';

const placed = { type: 'OrderPlaced', schemaVersion: 1, occurredAt: undefined };

it('takes a text that merely shows the escape of NUL', () => {
  const data = { name: '\\u0000 \\\\ud800 🛒' };
  expect(admitEvent({ ...placed, eventId: newEventId(), data }).data).toEqual(data);
});

it.each(['a\u0000b', '\ud800', 'x\udfff', '\\\u0000'])('refuses %j as a poison value', (name) => {
  expect(() => admitEvent({ ...placed, eventId: newEventId(), data: { name } })).toThrow('POISON_VALUE');
  expect(() => admitEvent({ ...placed, eventId: newEventId(), data: { [name]: 1 } })).toThrow('POISON_VALUE');
});

it('keeps a copy that nobody can change', () => {
  const data = { lines: [{ sku: 'A' }] };
  const admitted = admitEvent({ ...placed, eventId: newEventId(), data }).data as typeof data;
  data.lines.push({ sku: 'B' });
  expect(admitted).toEqual({ lines: [{ sku: 'A' }] });
  expect(() => admitted.lines.push({ sku: 'C' })).toThrow(TypeError);
});
