import type pg from 'pg';
import { connectLane } from '../../postgres/connection.ts';
import type { Appended } from '../port.ts';
import { appendParameters, appendStatement, type AppendRow } from './append-statement.ts';
import { appendedOf } from './rows.ts';

/** A lane's one connection, made when it is needed. */
export type LaneConnection = {
  /** Sends one statement; throws what pg throws. */
  send(rows: readonly AppendRow[]): Promise<readonly Appended[]>;
  connected(): boolean;
  /** Leaves the connection: its backend may still run the statement, at most until its timeout. */
  leave(): Promise<void>;
};

export type LaneConnectionOptions = {
  readonly url: string;
  readonly name: string;
  readonly epoch: string;
  /** Whose transactions the readers' fence watches; null: everybody's. */
  readonly role: string | null;
};

export function laneConnection({ url, name, epoch, role }: LaneConnectionOptions): LaneConnection {
  let client: pg.Client | undefined;
  return {
    connected: () => client !== undefined,
    leave: async () => {
      const left = client;
      client = undefined;
      await left?.end().catch(() => undefined);
    },
    send: async (rows) => {
      client ??= await connectAs(url, name, role);
      const result = await client.query<{ tx: string; recorded_ms: number }>({
        ...appendStatement,
        values: appendParameters(rows),
      });
      const [place] = result.rows;
      if (place === undefined) throw new Error('the append statement answered no row');
      const recordedAt = new Date(place.recorded_ms).toISOString();
      let ordinal = 0;
      return rows.map(({ append }) => {
        const appended = appendedOf(append, { epoch, tx: BigInt(place.tx), ordinal, recordedAt });
        ordinal += append.events.length;
        return appended;
      });
    },
  };
}

/** An append by anybody else would be invisible to the fence, and readers could pass it by: it is never sent. */
async function connectAs(url: string, name: string, role: string | null): Promise<pg.Client> {
  const client = await connectLane(url, name);
  if (role === null) return client;
  try {
    const { rows } = await client.query<{ session_user: string }>('select session_user');
    const acting = rows[0]?.session_user;
    if (acting !== role) throw new Error(`appends connect as ${acting ?? 'nobody'}, and the fence watches ${role}`);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
