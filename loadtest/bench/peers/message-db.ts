import { readFileSync } from 'node:fs';
import pg from 'pg';

import { appendOf } from '../append/placements.ts';
import { peerFile } from './install.ts';
import { peerConnectionsMax, type OpenPeer } from './peer.ts';

/** In the order of its install.sh, but for roles and views, which a write does not meet. */
const files = [
  'schema/message-store',
  'extensions/pgcrypto',
  'tables/messages',
  'types/message',
  ...['message-store-version', 'hash-64', 'acquire-lock', 'category', 'is-category', 'id', 'cardinal-id'].map(
    (name) => `functions/${name}`,
  ),
  ...['stream-version', 'write-message'].map((name) => `functions/${name}`),
  ...['id', 'stream', 'category'].map((name) => `indexes/messages-${name}`),
];

/** message-db: `write_message` at expected version -1, as its clients call it. */
export const openMessageDb: OpenPeer = async (url) => {
  const options = '-c search_path=message_store,public -c client_min_messages=warning';
  const pool = new pg.Pool({ connectionString: url, max: peerConnectionsMax, options });
  for (const file of files) {
    const sql = readFileSync(peerFile('@eventide', 'message-db', 'database', `${file}.sql`), 'utf8');
    // A concurrent index cannot be made among other statements, and the table is empty.
    await pool.query(sql.replaceAll(/\bconcurrently\b/gi, ''));
  }
  return {
    append: async (placement) => {
      const { stream, events } = appendOf(placement);
      for (const { eventId, type, data } of events) {
        const values = [eventId, stream, type, JSON.stringify(data), null, -1];
        await pool.query({ name: 'write', text: 'select write_message($1, $2, $3, $4, $5, $6)', values });
      }
    },
    close: () => pool.end(),
  };
};
