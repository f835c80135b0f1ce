import { LRUCache } from 'lru-cache';
import type { PaymentTokens } from '../port.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Tokens that live as long as the process: for tests and `memory:` stores. */
export function openMemoryPaymentTokens(): PaymentTokens {
  const orders = new LRUCache<string, ReadonlyMap<string, string>>({ max: 100_000, ttl: dayMs });
  return {
    put: (tokens) => {
      for (const { tenantId, orderId, paymentId, token } of tokens) {
        const known = orders.get(`${tenantId}/${orderId}`) ?? new Map<string, string>();
        if (!known.has(paymentId)) orders.set(`${tenantId}/${orderId}`, new Map([...known, [paymentId, token]]));
      }
      return Promise.resolve();
    },
    find: (tenantId, orderId, paymentId) =>
      Promise.resolve(orders.get(`${tenantId}/${orderId}`)?.get(paymentId) ?? null),
    remove: (tenantId, orderId) => {
      orders.delete(`${tenantId}/${orderId}`);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
