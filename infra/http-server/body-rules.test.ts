import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { openBodyCheck } from './body-rules.ts';

const schema = Type.Object(
  {
    currency: Type.String({ format: 'iso-4217' }),
    at: Type.Optional(Type.String({ format: 'date-time' })),
    amount: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { $id: 'Price', additionalProperties: false },
);

it('asks of a body what a route with its schema would', async () => {
  const check = await openBodyCheck([schema]);
  expect(check('Price', { currency: 'EUR', at: '2026-01-02T03:04:05Z', amount: 1 })).toBeNull();
  expect(check('Price', { currency: 'XXQ' })).toMatchObject({
    code: 'INVALID_VALUE',
    errors: [{ pointer: '/currency' }],
  });
  expect(check('Price', { currency: 'EUR', amount: '1' })).toMatchObject({ code: 'INVALID_VALUE' });
  expect(check('Price', { currency: 'EUR', at: '0000-01-01T00:00:00Z' })).toMatchObject({ code: 'INVALID_VALUE' });
  expect(check('Price', { currency: 'EUR', more: 1 })).toMatchObject({ code: 'INVALID_REQUEST' });
  expect(check('Price', {})).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ pointer: '/currency' }] });
  expect(check('Price', { currency: 'EUR', amount: -1 })).toMatchObject({ errors: [{ pointer: '/amount' }] });
});

it('refuses text that no store can hold', async () => {
  const check = await openBodyCheck([Type.Object({ name: Type.String() }, { $id: 'Name' })]);
  expect(check('Name', { name: 'a\0b' })).toMatchObject({ code: 'INVALID_VALUE', errors: [{ pointer: '/name' }] });
});
