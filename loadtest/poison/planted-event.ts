import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** Rows of the event table, behind the back of every door: what a bug of a writer, or a hand, could leave there. */
export type EventTable = {
  /** Appends to the stream's end. Returns the revision. */
  readonly plant: (orderId: string, event: { readonly type: string; readonly data: object }) => Promise<number>;
  /** Gives an event's data anew. */
  readonly mend: (orderId: string, revision: number, data: object) => Promise<void>;
  readonly close: () => Promise<void>;
};

export async function openEventTable(url: string): Promise<EventTable> {
  const client = new pg.Client({ connectionString: url, application_name: 'order-center poison run' });
  await client.connect();
  return {
    plant: async (orderId, { type, data }) => {
      const inserted = await client.query<{ revision: string }>(insertion, [
        ...[`order-${orderId}`, randomUUID(), type, `poison-${randomUUID()}`, JSON.stringify(data)],
      ]);
      return Number(inserted.rows[0]?.revision);
    },
    mend: async (orderId, revision, data) => {
      const mended = await client.query(
        'update order_center.events set data = $3::json where stream = $1 and revision = $2',
        [`order-${orderId}`, revision, JSON.stringify(data)],
      );
      if (mended.rowCount !== 1) throw new Error(`no revision ${revision} of order ${orderId}`);
    },
    close: () => client.end(),
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
