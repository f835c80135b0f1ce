import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Risk } from './port.ts';

export type OpenedRisk = { readonly risk: Risk; readonly close: () => Promise<void> };

/** What every risk adapter must do. `open` gives a service that rejects order `risky` with `TOO_RISKY`. */
export function riskContract(name: string, open: () => Promise<OpenedRisk>): void {
  describe(`risk: ${name}`, () => {
    let opened: OpenedRisk;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());
    const request = { key: 'o1/check-risk/1', orderId: 'o1', customerId: 'c1', amount: 100, currency: 'EUR' };

    it('accepts an ordinary order', async () => {
      expect(await opened.risk.assess(request)).toEqual({ outcome: 'accepted' });
    });

    it('answers a repeated key with its first result', async () => {
      const risky = { ...request, key: 'risky/check-risk/1', orderId: 'risky' };
      const rejected = { outcome: 'rejected', code: 'TOO_RISKY' };
      expect(await opened.risk.assess(risky)).toEqual(rejected);
      expect(await opened.risk.assess(risky)).toEqual(rejected);
    });

    it('refuses a key of another request', async () => {
      const key = 'o2/check-risk/1';
      await opened.risk.assess({ ...request, key, orderId: 'o2' });
      const failure = { code: 'DEPENDENCY_REFUSED', retryable: false };
      await expect(opened.risk.assess({ ...request, key, orderId: 'o2', amount: 101 })).rejects.toMatchObject(failure);
    });
  });
}
