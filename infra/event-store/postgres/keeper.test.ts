import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { describeWithPostgres, freshDatabase, type FreshDatabase } from '../../../test/postgres.ts';
import { appended, eventsOf, exampleAppend, idsOf, newCommandId, readUntil } from '../contract/examples.ts';
import type { StoreKeeper } from '../keeper.ts';
import { openEventStore, openStoreKeeper } from '../open.ts';
import type { EventStore, RecordedEvent } from '../port.ts';

const never = new AbortController().signal;

describeWithPostgres('the keeper of a store', () => {
  let database: FreshDatabase;
  let keeper: StoreKeeper;
  beforeEach(async () => {
    database = await freshDatabase();
    keeper = await openStoreKeeper(database.url);
  });
  afterEach(async () => {
    await keeper.close();
    await database.drop();
  });

  it('says what a store is, and changes nothing where there is none', async () => {
    expect(await keeper.state()).toBeNull();
    expect(await keeper.state()).toBeNull();
    const last = await withStore(async (store) => {
      await appended(store, { events: eventsOf(2) });
      return appended(store);
    });
    expect(await keeper.state()).toEqual({
      epoch: await withStore((store) => Promise.resolve(store.epoch)),
      formerEpochs: [],
      ...{ events: 3, streams: 2, head: last.position, isAhead: false },
      lastRecordedAt: last.events[0]?.recordedAt,
    });
  });

  it('begins a new epoch that remembers the old one and refuses its positions; everything else stays', async () => {
    const command = { ...exampleAppend(), commandId: newCommandId() };
    const old = await withStore(async (store) => ({
      epoch: store.epoch,
      hash: store.commandHash({ a: 1 }),
      appended: await appended(store, command),
    }));
    const adoption = await keeper.adopt({ signal: never });
    expect(adoption).toMatchObject({ formerEpoch: old.epoch, renumbered: 0 });
    await withStore(async (store) => {
      expect([store.epoch, store.formerEpochs]).toEqual([adoption.epoch, [old.epoch]]);
      expect(store.commandHash({ a: 1 })).toBe(old.hash);
      const stale = store.readLog({ after: old.appended.position, limit: 1 });
      await expect(stale).rejects.toMatchObject({ code: 'FOREIGN_STORE' });
      const repeated = await store.append({ ...command, events: eventsOf(1) });
      expect(repeated.outcome).toBe('known');
      expect(idsOf(await readUntil(store, 1))).toEqual(idsOf(old.appended.events));
    });
  });

  it('makes a store of a database that has none yet', async () => {
    const { epoch } = await keeper.adopt({ signal: never });
    expect(await keeper.state()).toMatchObject({ epoch, events: 0, head: null });
    expect(await withStore((store) => Promise.resolve(store.epoch))).toBe(epoch);
  });

  it('gives events that are ahead of the server places below it, in the old order, however often they move', async () => {
    const before = await grown(30);
    await movedAhead();
    expect(before).toHaveLength(30);
    for (const more of [3, 1, 4]) {
      await expect(withStore(() => Promise.resolve())).rejects.toMatchObject({ code: 'FOREIGN_STORE' });
      const reported: number[] = [];
      const { renumbered } = await keeper.adopt({ signal: never, onRenumbered: (events) => reported.push(events) });
      expect([renumbered, reported.at(-1)]).toEqual([before.length, before.length]);
      const after = await withStore((store) => readUntil(store, before.length));
      expect(after.map(placeless)).toEqual(before.map(placeless));
      before.push(...(await grown(more)));
      // New events come after all of them.
      expect((await withStore((store) => readUntil(store, before.length))).map(placeless)).toEqual(
        before.map(placeless),
      );
      await movedAhead();
    }
  });

  it('moves nothing where it is interrupted, not even the epoch', async () => {
    await grown(3);
    await movedAhead();
    const before = await keeper.state();
    const interruption = new AbortController();
    const adopted = keeper.adopt({ signal: interruption.signal, onRenumbered: () => interruption.abort() });
    await expect(adopted).rejects.toMatchObject({ name: 'AbortError' });
    expect(await keeper.state()).toEqual(before);
  });

  it('fails, to be tried again, while another transaction holds the log', async () => {
    await grown(1);
    const before = await keeper.state();
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin');
    await other.query('lock table order_center.events in row exclusive mode');
    await expect(keeper.adopt({ signal: never })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    await other.query('rollback');
    await other.end();
    expect(await keeper.state()).toEqual(before);
  });

  async function withStore<Answer>(work: (store: EventStore) => Promise<Answer>): Promise<Answer> {
    const store = await openEventStore(database.url);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }

  /** Appends of several sizes, so that transactions have several events. */
  function grown(count: number): Promise<RecordedEvent[]> {
    return withStore(async (store) => {
      const events: RecordedEvent[] = [];
      while (events.length < count) {
        const size = Math.min(count - events.length, 1 + (events.length % 4));
        events.push(...(await appended(store, { events: eventsOf(size) })).events);
      }
      return events;
    });
  }

  /** As after a restore on a server whose transaction ids are far lower. */
  async function movedAhead(): Promise<void> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(
      "update order_center.events set tx = (tx::text::bigint + 1000000000000)::text::xid8 where tx >= '3'::xid8",
    );
    await client.end();
  }
});

function placeless({ position: _, ...event }: RecordedEvent): Omit<RecordedEvent, 'position'> {
  return event;
}
