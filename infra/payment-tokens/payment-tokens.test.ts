import { expect, it } from 'vitest';
import pg from 'pg';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import { freshDatabase } from '../../test/postgres.ts';
import { paymentTokensContract } from './contract.ts';
import { openMemoryPaymentTokens } from './memory/memory-payment-tokens.ts';
import { openPostgresPaymentTokens } from './postgres/postgres-payment-tokens.ts';

paymentTokensContract('memory', () => {
  const tokens = openMemoryPaymentTokens();
  return Promise.resolve({ tokens, close: () => tokens.close() });
});

paymentTokensContract('postgres', async () => {
  const database = await freshDatabase();
  const tokens = await openPostgresPaymentTokens(database.url);
  return {
    tokens,
    close: async () => {
      await tokens.close();
      await database.drop();
    },
  };
});

it('does not find a token of the day before yesterday, and deletes it at the next start', async () => {
  const database = await freshDatabase();
  const [tenantId, orderId] = ['default' as TenantId, '8c1d3a57-6a5e-5b67-9a5e-3b1f0c6c1f10' as OrderId];
  const tokens = await openPostgresPaymentTokens(database.url);
  await tokens.put([{ tenantId, orderId, paymentId: 'p1', token: 'tok_1' }]);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query("update payment_tokens.tokens set created_at = now() - interval '2 days'");
  const found = await tokens.find(tenantId, orderId, 'p1');
  await tokens.close();
  const again = await openPostgresPaymentTokens(database.url);
  const left = await client.query('select from payment_tokens.tokens');
  await again.close();
  await client.end();
  await database.drop();
  expect(found).toBeNull();
  expect(left.rowCount).toBe(0);
});
