import { join } from 'node:path';
import type pg from 'pg';
import { groupCommit } from '../../group-commit.ts';
import { ask, openPool } from '../../postgres/connection.ts';
import { migrate } from '../../postgres/migrate.ts';
import type { PaymentToken, PaymentTokens } from '../port.ts';

/** A token lapses after a day: it is not found any more, and the next start deletes it. */
const lapsed = "created_at < now() - interval '1 day'";

/** Tokens in a schema of their own; those of many orders are one insert. */
export async function openPostgresPaymentTokens(url: string): Promise<PaymentTokens> {
  await migrate(url, { schema: 'payment_tokens', folder: join(import.meta.dirname, 'migrations') });
  const pool = openPool(url, { applicationName: 'order-center tokens', connectionsMax: 3 });

  const removals = removalsOf(pool);
  const inserts = insertsOf(pool);
  await ask(pool, { text: `delete from payment_tokens.tokens where ${lapsed}` });
  return {
    put: async (tokens) => {
      if (tokens.length > 0) await inserts.push(tokens);
    },
    find: async (tenantId, orderId, paymentId) => {
      const rows = await ask<{ token: string }>(pool, {
        name: 'find-token',
        text: `select token from payment_tokens.tokens where tenant = $1 and order_id = $2 and payment_id = $3 and not (${lapsed})`,
        values: [tenantId, orderId, paymentId],
      });
      return rows[0]?.token ?? null;
    },
    remove: async (tenantId, orderId) => {
      await removals.push({ tenantId, orderId });
    },
    close: () => pool.end(),
  };
}

function removalsOf(pool: pg.Pool) {
  return groupCommit<{ readonly tenantId: string; readonly orderId: string }, undefined>(
    async (orders) => {
      await ask(pool, {
        name: 'remove-tokens',
        text: `delete from payment_tokens.tokens t using unnest($1::text[], $2::uuid[]) as o (tenant, order_id)
          where t.tenant = o.tenant and t.order_id = o.order_id`,
        values: [orders.map(({ tenantId }) => tenantId), orders.map(({ orderId }) => orderId)],
      });
      return orders.map(() => undefined);
    },
    { groupMax: 500, queuedMax: 20_000 },
  );
}

function insertsOf(pool: pg.Pool) {
  return groupCommit<readonly PaymentToken[], undefined>(
    async (groups) => {
      const tokens = groups.flat();
      await ask(pool, {
        name: 'put-tokens',
        text: `insert into payment_tokens.tokens (tenant, order_id, payment_id, token)
          select * from unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
          on conflict (tenant, order_id, payment_id) do nothing`,
        values: [
          tokens.map(({ tenantId }) => tenantId),
          tokens.map(({ orderId }) => orderId),
          tokens.map(({ paymentId }) => paymentId),
          tokens.map(({ token }) => token),
        ],
      });
      return groups.map(() => undefined);
    },
    { groupMax: 500, queuedMax: 20_000 },
  );
}
