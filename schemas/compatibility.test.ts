import { describe, expect, it } from 'vitest';
import { editedAfterRelease, fingerprintsOf, incompatibilities, type ReleasedVersion } from './compatibility.ts';
import { commandSchemas, outcomeSchemas } from './generated/messages.ts';
import { eventSchemas } from './generated/registry.ts';

const text = { name: 'orderId', type: 'string' };
const version = (number: number, ...fields: readonly object[]): ReleasedVersion => ({
  type: 'OrderLost',
  version: number,
  schema: { type: 'record', name: 'OrderLost', namespace: 'ordercenter.events', fields },
});
const optional = { name: 'reason', type: ['null', 'string'], default: null };
const state = (...symbols: readonly string[]) => ({ name: 'state', type: { type: 'enum', name: 'State', symbols } });

describe('compatibility', () => {
  it('holds for everything that is released', () => {
    expect(incompatibilities([...eventSchemas, ...commandSchemas, ...outcomeSchemas])).toEqual([]);
  });

  it.each([
    ['a new optional field', [version(1, text), version(2, text, optional)]],
    ['a field that is gone', [version(1, text, optional), version(2, text)]],
    ['a new symbol', [version(1, state('A')), version(2, state('A', 'B'))]],
    ['an int that is a long now', [version(1, { name: 'n', type: 'int' }), version(2, { name: 'n', type: 'long' })]],
  ])('is kept by %s', (_, released) => {
    expect(incompatibilities(released)).toEqual([]);
  });

  it.each([
    ['a new field that must be there', [version(1, text), version(2, text, { name: 'reason', type: 'string' })]],
    ['another type', [version(1, text), version(2, { ...text, type: 'long' })]],
    ['a symbol that is gone', [version(1, state('A', 'B')), version(2, state('A'))]],
    ['a number that is narrower', [version(1, { name: 'n', type: 'long' }), version(2, { name: 'n', type: 'int' })]],
    ['a version that is missing', [version(1, text), version(3, text)]],
  ])('is broken by %s', (_, released) => {
    expect(incompatibilities(released)).toHaveLength(1);
  });

  it('is asked of every earlier version, not of the last alone', () => {
    const released = [
      version(1, text),
      version(2, text, optional),
      version(3, text, { ...optional, type: 'string', default: '' }),
    ];
    expect(incompatibilities(released)).toEqual([expect.stringMatching(/v3 does not read v2/)]);
    const later = [version(1), version(2, { ...text, default: '' }), version(3, text)];
    expect(incompatibilities(later)).toEqual([expect.stringMatching(/v3 does not read v1/)]);
  });
});

describe('what was released', () => {
  const released = fingerprintsOf([version(1, text)]);

  it('may get company, and other words of explanation', () => {
    expect(editedAfterRelease(released, fingerprintsOf([version(1, text), version(2, text, optional)]))).toEqual([]);
    expect(editedAfterRelease(released, fingerprintsOf([version(1, { ...text, doc: 'said better' })]))).toEqual([]);
  });

  it('is neither edited nor withdrawn', () => {
    expect(editedAfterRelease(released, fingerprintsOf([version(1, text, optional)]))).toHaveLength(1);
    expect(editedAfterRelease(released, {})).toEqual(['ordercenter.events.OrderLost.v1 was released and is gone']);
  });
});
