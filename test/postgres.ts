import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, inject, it } from 'vitest';

/** A database of its own, so that tests share nothing. `drop` also ends the connections that are still open to it. */
export type FreshDatabase = { readonly url: string; drop(): Promise<void> };

/** Creates an empty database with a random name on the run's Postgres (test/backends.ts). */
export async function freshDatabase(): Promise<FreshDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await execute(`create database ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(`drop database if exists ${name} with (force)`) };
}

/** `describe`, or one skipped test with the reason where no Postgres can be had. */
export function describeWithPostgres(name: string, suite: () => void): void {
  const missing = inject('postgresMissing');
  if (missing === '') describe(name, suite);
  else describe(name, () => it('needs a Postgres', (context) => context.skip(missing)));
}

async function execute(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl'), connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
