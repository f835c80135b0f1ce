import { describe, expect, it } from 'vitest';
import pg from 'pg';
import { freshDatabase } from '../../test/postgres.ts';
import { subjectKeysContract } from './contract.ts';
import { openMemorySubjectKeys } from './memory/memory-subject-keys.ts';
import { openPostgresSubjectKeys } from './postgres/postgres-subject-keys.ts';

subjectKeysContract('memory', () => {
  const keys = openMemorySubjectKeys();
  return Promise.resolve({ keys, close: () => keys.close() });
});

subjectKeysContract('postgres', async () => {
  const database = await freshDatabase();
  const keys = await openPostgresSubjectKeys(database.url);
  return {
    keys,
    close: async () => {
      await keys.close();
      await database.drop();
    },
  };
});

describe('the role of the keys', () => {
  it('sees the keys and not the role table, and two processes may make it at once', async () => {
    const database = await freshDatabase();
    const opened = await Promise.all([openPostgresSubjectKeys(database.url), openPostgresSubjectKeys(database.url)]);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const roles = await client.query<{ name: string }>('select name from subject_keys.login_role');
    const role = roles.rows[0]?.name;
    const may = await client.query<{ keys: boolean; roles: boolean }>(
      "select has_table_privilege($1, 'subject_keys.keys', 'select') as keys, has_table_privilege($1, 'subject_keys.login_role', 'select') as roles",
      [role],
    );
    await client.end();
    await Promise.all(opened.map((keys) => keys.close()));
    await database.drop();
    expect(roles.rows).toHaveLength(1);
    expect(may.rows[0]).toEqual({ keys: true, roles: false });
  });
});
