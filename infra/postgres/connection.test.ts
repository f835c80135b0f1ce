import { expect, it } from 'vitest';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { openPool, troubleOf } from './connection.ts';

describeWithPostgres('a process that stood still inside a transaction', () => {
  it('has lost it, and its connection, and may begin again', async () => {
    const database = await freshDatabase();
    const pool = openPool(database.url, { applicationName: 'a test', connectionsMax: 1, idleInTransactionMs: 50 });
    const client = await pool.connect();
    await client.query('begin');
    // As if it was stopped: the server ends the session meanwhile, and the next statement meets what it said.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    const late = await client.query('select 1').catch((error: unknown) => error);
    expect([(late as { readonly code?: string }).code, troubleOf(late)]).toEqual(['25P03', 'lost']);
    client.release(true);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
    await database.drop();
  });
});
