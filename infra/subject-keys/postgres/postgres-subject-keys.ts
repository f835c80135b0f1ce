import { createSecretKey } from 'node:crypto';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { groupCommit } from '../../group-commit.ts';
import { ask, openPool } from '../../postgres/connection.ts';
import { ensureLoginRole, urlAs } from '../../postgres/login-role.ts';
import { migrate } from '../../postgres/migrate.ts';
import { newSubjectKey } from '../new-key.ts';
import type { SubjectKey, SubjectKeys } from '../port.ts';

/** A process seals with one key of a subject for so long: a forgotten subject's next order has a fresh key after it. */
const keyTtlMs = 60_000;
const subjectsMax = 20_000;

type KeyRow = { readonly key_id: string; readonly subject: string; readonly key: Buffer };

/**
 * Keys in a schema of their own, reached as a role that sees nothing else. Each process seals with keys of its own
 * making, so sealing reads nothing; new keys of many orders are one insert.
 */
export async function openPostgresSubjectKeys(url: string): Promise<SubjectKeys> {
  const pool = openPool(await prepare(url), { applicationName: 'order-center keys', connectionsMax: 3 });
  const current = new LRUCache<string, SubjectKey>({ max: subjectsMax, ttl: keyTtlMs });
  const durable = new LRUCache<string, true>({ max: subjectsMax, ttl: keyTtlMs });

  const inserts = insertsOf(pool, (keyId) => durable.set(keyId, true));

  return {
    current: (subject) => {
      const known = current.get(subject) ?? newSubjectKey(subject);
      current.set(subject, known, { noUpdateTTL: true });
      return known;
    },
    persist: async (key) => {
      if (!durable.has(key.keyId)) await inserts.push(key);
    },
    find: async (keyIds) => {
      const rows = await ask<KeyRow>(pool, {
        name: 'find-keys',
        text: 'select key_id, subject, key from subject_keys.keys where key_id = any($1)',
        values: [keyIds],
      });
      return new Map(
        rows.map((row) => [row.key_id, { keyId: row.key_id, subject: row.subject, key: createSecretKey(row.key) }]),
      );
    },
    forget: async (subject) => {
      current.delete(subject);
      const gone = await ask(pool, {
        text: 'delete from subject_keys.keys where subject = $1 returning true',
        values: [subject],
      });
      return gone.length;
    },
    close: () => pool.end(),
  };
}

/** Makes schema and role on first use. @returns the URL to work with */
async function prepare(url: string): Promise<string> {
  await migrate(url, { schema: 'subject_keys', folder: join(import.meta.dirname, 'migrations') });
  const owner = openPool(url, { applicationName: 'order-center keys', connectionsMax: 1 });
  try {
    const role = await ensureLoginRole(owner, {
      schema: 'subject_keys',
      grants: ['select, insert, delete on subject_keys.keys'],
    });
    return role === null ? url : urlAs(url, role);
  } finally {
    await owner.end();
  }
}

function insertsOf(pool: pg.Pool, onDurable: (keyId: string) => void) {
  return groupCommit<SubjectKey, undefined>(
    async (keys) => {
      await ask(pool, {
        name: 'persist-keys',
        text: `insert into subject_keys.keys (key_id, subject, key) select * from unnest($1::text[], $2::text[], $3::bytea[])
          on conflict (key_id) do nothing`,
        values: [
          keys.map(({ keyId }) => keyId),
          keys.map(({ subject }) => subject),
          keys.map(({ key }) => key.export()),
        ],
      });
      for (const { keyId } of keys) onDurable(keyId);
      return keys.map(() => undefined);
    },
    { groupMax: 500, queuedMax: 20_000 },
  );
}
