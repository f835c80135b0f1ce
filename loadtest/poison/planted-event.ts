import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** Rows of the event table, behind the back of every door: what a bug of a writer, or a hand, could leave there. */
export type EventTable = {
  /** Appends to the stream's end. Returns the revision. */
  readonly plant: (orderId: string, event: { readonly type: string; readonly data: object }) => Promise<number>;
  /** Gives an event's data anew. */
  readonly mend: (orderId: string, revision: number, data: object) => Promise<void>;
};

export function openEventTable(url: string): EventTable {
  return {
    plant: async (orderId, { type, data }) => {
      const values = [`order-${orderId}`, randomUUID(), type, `poison-${randomUUID()}`, JSON.stringify(data)];
      const { rows } = await execute(url, insertion, values);
      return Number(rows[0]?.revision);
    },
    mend: async (orderId, revision, data) => {
      const values = [`order-${orderId}`, revision, JSON.stringify(data)];
      const { rowCount } = await execute(url, correction, values);
      if (rowCount !== 1) throw new Error(`no revision ${revision} of order ${orderId}`);
    },
  };
}

const insertion = `
  insert into order_center.events
    (ord, stream, revision, event_id, type, schema_version, category, tenant, command_id, n, occurred_at, origin,
     correlation_id, data)
  select 0, last.stream, last.revision + 1, $2, $3, 1, last.category, last.tenant, $4, 0,
    date_trunc('milliseconds', now()), last.origin, 'poison', $5::json
  from order_center.events as last where last.stream = $1 order by last.revision desc limit 1
  returning revision`;

const correction = 'update order_center.events set data = $3::json where stream = $1 and revision = $2';

/** A connection each: the system stops its Postgres in between. */
async function execute(url: string, text: string, values: readonly unknown[]) {
  const client = new pg.Client({ connectionString: url, application_name: 'order-center poison run' });
  await client.connect();
  try {
    return await client.query<{ readonly revision?: string }>(text, [...values]);
  } finally {
    await client.end();
  }
}
