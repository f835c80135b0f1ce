import pg from 'pg';

import { appendOf } from '../append/placements.ts';
import { importPeer } from './install.ts';
import { peerConnectionsMax, type OpenPeer } from './peer.ts';

type Emmett = {
  readonly getPostgreSQLEventStore: (
    url: string,
    options: { readonly connectionOptions: { readonly pool: pg.Pool } },
  ) => {
    readonly schema: { migrate(): Promise<unknown> };
    appendToStream(
      stream: string,
      events: readonly { readonly type: string; readonly data: object }[],
      options: { readonly expectedStreamVersion: 'STREAM_DOES_NOT_EXIST' },
    ): Promise<unknown>;
    close(): Promise<void>;
  };
};

/** Emmett's PostgreSQL event store: `appendToStream` of a new stream. */
export const openEmmett: OpenPeer = async (url) => {
  const { getPostgreSQLEventStore } = await importPeer<Emmett>('@event-driven-io/emmett-postgresql');
  const pool = new pg.Pool({ connectionString: url, max: peerConnectionsMax });
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
  await store.schema.migrate();
  return {
    append: async (placement) => {
      const { stream, events } = appendOf(placement);
      const written = events.map(({ type, data }) => ({ type, data }));
      await store.appendToStream(stream, written, { expectedStreamVersion: 'STREAM_DOES_NOT_EXIST' });
    },
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
};
