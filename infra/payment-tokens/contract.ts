import { describe, expect, it } from 'vitest';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { PaymentTokens } from './port.ts';

type Opened = { readonly tokens: PaymentTokens; readonly close: () => Promise<void> };

const tenantId = 'default' as TenantId;
const orderId = '8c1d3a57-6a5e-5b67-9a5e-3b1f0c6c1f10' as OrderId;
const otherOrderId = '8c1d3a57-6a5e-5b67-9a5e-3b1f0c6c1f11' as OrderId;

/** What every adapter of PaymentTokens promises. */
export function paymentTokensContract(name: string, open: () => Promise<Opened>): void {
  describe(`payment tokens: ${name}`, () => {
    const within = async (body: (tokens: PaymentTokens) => Promise<void>): Promise<void> => {
      const { tokens, close } = await open();
      try {
        await body(tokens);
      } finally {
        await close();
      }
    };

    it('finds what was put, for its own tenant and payment alone', () =>
      within(async (tokens) => {
        await tokens.put([{ tenantId, orderId, paymentId: 'p1', token: 'tok_1' }]);
        await tokens.put([]);
        expect(await tokens.find(tenantId, orderId, 'p1')).toBe('tok_1');
        expect(await tokens.find(tenantId, orderId, 'p2')).toBeNull();
        expect(await tokens.find('other' as TenantId, orderId, 'p1')).toBeNull();
      }));

    it('keeps the first token of a payment when a placement is repeated', () =>
      within(async (tokens) => {
        await tokens.put([{ tenantId, orderId, paymentId: 'p1', token: 'tok_1' }]);
        await tokens.put([{ tenantId, orderId, paymentId: 'p1', token: 'tok_2' }]);
        expect(await tokens.find(tenantId, orderId, 'p1')).toBe('tok_1');
      }));

    it('removes all tokens of one order and of no other', () =>
      within(async (tokens) => {
        await tokens.put([
          { tenantId, orderId, paymentId: 'p1', token: 'tok_1' },
          { tenantId, orderId, paymentId: 'p2', token: 'tok_2' },
        ]);
        await tokens.put([{ tenantId, orderId: otherOrderId, paymentId: 'p1', token: 'tok_3' }]);
        await tokens.remove(tenantId, orderId);
        expect(await tokens.find(tenantId, orderId, 'p1')).toBeNull();
        expect(await tokens.find(tenantId, orderId, 'p2')).toBeNull();
        expect(await tokens.find(tenantId, otherOrderId, 'p1')).toBe('tok_3');
      }));
  });
}
