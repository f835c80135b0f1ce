import fc from 'fast-check';
import { expect, it } from 'vitest';
import { paymentsContract } from './contract.ts';
import type { PaymentEntry } from './gateway.ts';
import { memoryPayments } from './memory.ts';
import { openPayments } from './open.ts';

paymentsContract('memory', () =>
  Promise.resolve({ payments: openPayments('memory:'), close: () => Promise.resolve() }),
);

it('refuses to open payments by an unknown scheme', () => {
  expect(() => openPayments('ftp://gateway')).toThrow('payments: the URL must start with http:, https: or memory:');
});

it('keeps 0 ≤ refunded ≤ captured ≤ authorized under any sequence of operations', async () => {
  const step = fc.record({
    op: fc.constantFrom('authorize' as const, 'capture' as const, 'void' as const, 'refund' as const),
    attempt: fc.integer({ min: 1, max: 4 }),
    target: fc.integer({ min: 1, max: 4 }),
    amount: fc.integer({ min: 0, max: 100 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const entries: PaymentEntry[] = [];
      const record = (entry: PaymentEntry) => Promise.resolve(void entries.push(entry));
      const payments = memoryPayments({ record });
      const base = { orderId: 'o', paymentId: 'p' };
      for (const { op, attempt, target, amount } of steps) {
        const key = `o/${op}/${attempt}`;
        const money = { ...base, key, amount, currency: 'EUR' };
        const providerIdOf = (run: string) => entries.find((entry) => entry.key === run)?.providerId ?? 'unknown';
        const authorizationId = providerIdOf(`o/authorize/${target}`);
        const captureId = providerIdOf(`o/capture/${target}`);
        const answer =
          op === 'authorize'
            ? payments.authorize({ ...money, method: 'card' })
            : op === 'capture'
              ? payments.capture({ ...money, authorizationId })
              : op === 'void'
                ? payments.void({ ...base, key, effectKey: `o/authorize/${target}` })
                : payments.refund({ ...money, captureId });
        // A reused key is refused; the rest are answers.
        await answer.catch(() => undefined);
      }
      expect(new Set(entries.map((entry) => entry.key)).size).toBe(entries.length);
      const sum = (op: PaymentEntry['op'], isMeant: (entry: PaymentEntry) => boolean) =>
        entries
          .filter((entry) => entry.op === op && entry.result === 'succeeded' && isMeant(entry))
          .reduce((total, entry) => total + entry.amount, 0);
      for (const { op, providerId, amount, result } of entries) {
        if (result !== 'succeeded') continue;
        const taken = sum('capture', (entry) => entry.authorizationId === providerId);
        const released = sum('void', (entry) => entry.authorizationId === providerId);
        if (op === 'authorize') expect(taken + released).toBeLessThanOrEqual(amount);
        if (op === 'capture')
          expect(sum('refund', (entry) => entry.captureId === providerId)).toBeLessThanOrEqual(amount);
      }
    }),
    { numRuns: 200 },
  );
});

it('remembers by its entries alone', async () => {
  const entries: PaymentEntry[] = [];
  const request = { key: 'o/authorize/1', orderId: 'o', paymentId: 'p', amount: 5, currency: 'EUR', method: 'card' };
  const before = memoryPayments({ record: (entry) => Promise.resolve(void entries.push(entry)) });
  const first = await before.authorize(request);
  await before.void({ key: 'o/late/1/undo', orderId: 'o', paymentId: 'p', effectKey: 'o/late/1' });
  const after = memoryPayments({ entries });
  expect(await after.authorize(request)).toEqual(first);
  expect(await after.authorize({ ...request, key: 'o/late/1' })).toEqual({ outcome: 'declined', code: 'TOMBSTONED' });
});

it('never tells an answer that could not be recorded', async () => {
  const payments = memoryPayments({ record: () => Promise.reject(new Error('disk full')) });
  const request = { key: 'o/authorize/1', orderId: 'o', paymentId: 'p', amount: 5, currency: 'EUR', method: 'card' };
  await expect(payments.authorize(request)).rejects.toThrow('disk full');
  await expect(payments.authorize(request)).rejects.toThrow('disk full');
  await expect(payments.find(request.key)).rejects.toThrow('disk full');
});
