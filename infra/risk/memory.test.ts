import { expect, it } from 'vitest';
import { riskContract } from './contract.ts';
import { memoryRisk } from './memory.ts';
import { openRisk } from './open.ts';

riskContract('memory', () => {
  const reject = ({ orderId }: { readonly orderId: string }) => (orderId === 'risky' ? 'TOO_RISKY' : undefined);
  return Promise.resolve({ risk: memoryRisk({ reject }), close: () => Promise.resolve() });
});

it('opens risk by the scheme of its URL', async () => {
  const request = { key: 'k', orderId: 'o', customerId: 'c', amount: 1, currency: 'EUR' };
  expect(await openRisk('memory:').assess(request)).toEqual({ outcome: 'accepted' });
  expect(() => openRisk('ftp://risk')).toThrow('risk: the URL must start with http:, https: or memory:');
});
