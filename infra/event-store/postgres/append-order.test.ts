import { expect, it, vi } from 'vitest';

import { describeWithPostgres, freshDatabase } from '../../../test/postgres.ts';
import { appended, exampleAppend, idsOf, newOrderStream, readUntil } from '../contract/examples.ts';
import { connectTo, insertEvent } from '../contract/postgres-database.ts';
import { openPostgresEventStore } from './open.ts';

const rounds = 5;

describeWithPostgres('an append on Postgres', () => {
  it('comes after everything on the log that it was decided on, however long its lane was held up', async () => {
    const database = await freshDatabase();
    const here = await openPostgresEventStore(database.url, { lanes: 1 });
    const elsewhere = await openPostgresEventStore(database.url);
    const blocker = await connectTo(database.url);
    // A connection of its own: a transaction sees pg_stat_activity as it was at its first look.
    const watcher = await connectTo(database.url);
    const wanted: string[] = [];
    // A blocked statement is given up after a second: on a busy machine a round may prove nothing, so there are some.
    for (let round = 0; round < rounds; round += 1) {
      const blocked = exampleAppend();
      const stream = newOrderStream();
      await blocker.query('begin');
      await insertEvent(blocker, { stream: blocked.stream });
      const held = here.append(blocked);
      await vi.waitFor(() => expectBlocked(watcher), { timeout: 5_000, interval: 5 });
      const first = await appended(elsewhere, { stream });
      expect(await here.readStream({ stream })).toHaveLength(1);
      const second = appended(here, { stream, expected: 0 });
      await blocker.query('rollback');
      await held;
      wanted.push(...idsOf([...first.events, ...(await second).events]));
    }

    const log = await readUntil(elsewhere, 3 * rounds);
    expect(log).toHaveLength(3 * rounds);
    const ids = new Set(wanted);
    expect(idsOf(log).filter((id) => ids.has(id))).toEqual(wanted);

    await Promise.all([here.close(), elsewhere.close()]);
    await database.drop();
  });
});

async function expectBlocked(client: Awaited<ReturnType<typeof connectTo>>): Promise<void> {
  const { rowCount } = await client.query(
    `select from pg_stat_activity where datname = current_database()
     and application_name like 'order-center append%' and wait_event_type = 'Lock'`,
  );
  expect(rowCount).toBe(1);
}
