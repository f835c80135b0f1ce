import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newEventId, type StreamName, type TenantId } from '../../schemas/ids.ts';
import type { Checkpoint } from '../event-feed/port.ts';
import { parkingContract } from './contract/parking.ts';
import type { BatchWrite, CommitOutcome, Document, DocumentWrite, Filter, Progress, ReadStore, View } from './port.ts';

export type ReadStoreUnderTest = { readonly readStore: ReadStore; readonly close: () => Promise<void> };

type Note = {
  readonly owner: string;
  readonly text: string | null;
  readonly size: number;
  readonly at: string;
  readonly tags: readonly string[];
};

const notes: View<Note> = {
  name: 'test-notes',
  version: 1,
  columns: {
    owner: { type: 'text', of: ({ owner }) => owner },
    text: { type: 'text', of: ({ text }) => text },
    size: { type: 'bigint', of: ({ size }) => size },
    at: { type: 'timestamptz', of: ({ at }) => at },
    tags: { type: 'text[]', of: ({ tags }) => tags },
  },
  indexes: [['at'], ['owner', 'at'], ['tags']],
};

type Alarm = { readonly dueAt: string; readonly note: string };

const alarms: View<Alarm> = {
  name: 'test-alarms',
  version: 1,
  columns: { due_at: { type: 'timestamptz', of: ({ dueAt }) => dueAt } },
  indexes: [],
  dueColumn: 'due_at',
};

/** For tests of one adapter. */
export const exampleViews: readonly View[] = [notes, alarms];

const tenantId = 'shop' as TenantId;
const otherTenant = 'rival' as TenantId;

function note(changes: Partial<Note> = {}): Note {
  return { owner: 'ann', text: 'hello', size: 1, at: '2026-01-01T00:00:00.000Z', tags: [], ...changes };
}

function put(key: string, document: Document | null, tenant = tenantId): DocumentWrite {
  return { tenantId: tenant, key, document };
}

function position(name: string): Checkpoint {
  return name as Checkpoint;
}

async function allOf<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What every read store promises. Each test has tables of its own. */
export function readStoreContract(name: string, open: () => Promise<ReadStoreUnderTest>): void {
  parkingContract(name, open);
  describe(`read store: ${name}`, () => {
    let tested: ReadStoreUnderTest;
    let readStore: ReadStore;

    beforeAll(async () => {
      tested = await open();
      readStore = tested.readStore;
    });
    afterAll(() => tested.close());
    beforeEach(async () => {
      await readStore.prepare(exampleViews);
      for (const view of exampleViews) await readStore.clear(view);
    });

    const commit = (
      documents: readonly DocumentWrite[],
      options: Partial<BatchWrite['move']> & Partial<Pick<BatchWrite, 'view' | 'progress' | 'begun'>> = {},
    ): Promise<CommitOutcome> => {
      const { view = notes, progress = [], begun = [], from = null, to = position('c1') } = options;
      return readStore.commit({
        view,
        documents,
        progress,
        begun,
        move: { consumer: view.name, partition: 'log', from, to },
      });
    };
    const find = async (key: string, tenant = tenantId): Promise<Note | null> =>
      (await readStore.find(notes, [{ tenantId: tenant, key }]))[0] ?? null;

    it('gives back what was committed, null for what is not there, in the order of the keys', async () => {
      const odd = note({
        text: 'q"uote \\ {brace} ü 😀',
        size: Number.MAX_SAFE_INTEGER,
        tags: ['a"b', 'c\\d', 'e,f', '{}'],
      });
      await commit([put('b', odd), put('a', note())]);
      const keys = ['a', 'none', 'b'].map((key) => ({ tenantId, key }));
      expect(await readStore.find(notes, keys)).toEqual([note(), null, odd]);
    });

    it('replaces and deletes documents', async () => {
      await commit([put('a', note()), put('b', note())]);
      await commit([put('a', note({ text: 'new' })), put('b', null)], { from: position('c1'), to: position('c2') });
      expect([(await find('a'))?.text, await find('b')]).toEqual(['new', null]);
    });

    it('keeps tenants apart', async () => {
      await commit([put('a', note())]);
      expect(await find('a', otherTenant)).toBeNull();
    });

    it('answers many finds of one turn, each with its own', async () => {
      await commit(Array.from({ length: 50 }, (_, index) => put(`k${index}`, note({ size: index }))));
      const found = await Promise.all(Array.from({ length: 60 }, (_, index) => find(`k${index}`)));
      expect(found.map((each) => each?.size ?? null)).toEqual(
        Array.from({ length: 60 }, (_, index) => (index < 50 ? index : null)),
      );
    });

    it('commits streams that begin, and refuses whole what it has seen', async () => {
      const begins = (stream: string): Progress => ({
        stream: stream as StreamName,
        revision: 0,
        eventId: newEventId(),
      });
      const [one, two] = [begins('order-one'), begins('order-two')];
      expect(await commit([put('a', note())], { begun: [one] })).toBe('committed');
      const next = { from: position('c1'), to: position('c2') };
      expect(await commit([put('a', note({ text: 'again' }))], { ...next, begun: [two, one] })).toBe('seen');
      expect((await find('a'))?.text).toBe(note().text);
      expect(await readStore.loadCheckpoint(notes.name, 'log')).toBe('c1');
      const streams = [one.stream, two.stream];
      expect([...(await readStore.loadProgress(notes.name, streams)).values()]).toEqual([one]);
      expect(await commit([put('b', note())], { ...next, progress: [{ ...one, revision: 1 }], begun: [two] })).toBe(
        'committed',
      );
      expect((await readStore.loadProgress(notes.name, streams)).size).toBe(2);
    });

    it('says that the checkpoint moved before it says that a stream was seen', async () => {
      const one: Progress = { stream: 'order-one' as StreamName, revision: 0, eventId: newEventId() };
      expect(await commit([], { begun: [one] })).toBe('committed');
      expect(await commit([], { from: position('other'), to: position('c3'), begun: [one] })).toBe('moved');
    });

    it('remembers the checkpoint of each consumer and partition', async () => {
      await commit([put('a', note())]);
      expect(await readStore.loadCheckpoint(notes.name, 'log')).toBe('c1');
      expect(await readStore.loadCheckpoint(notes.name, 'other')).toBeNull();
      expect(await readStore.loadCheckpoint('other', 'log')).toBeNull();
    });

    it('writes nothing of a batch whose checkpoint another owner moved', async () => {
      const progress = [{ stream: 'order-1' as StreamName, revision: 0, eventId: newEventId() }];
      await commit([put('a', note())]);
      expect(await commit([put('a', note({ text: 'stale' })), put('b', note())], { progress })).toBe('moved');
      expect(await commit([put('b', note())], { from: position('other'), to: position('c9'), progress })).toBe('moved');
      expect([(await find('a'))?.text, await find('b')]).toEqual(['hello', null]);
      expect(await readStore.loadCheckpoint(notes.name, 'log')).toBe('c1');
      expect((await readStore.loadProgress(notes.name, ['order-1' as StreamName])).size).toBe(0);
    });

    it('lets exactly one of many owners move a checkpoint, the first one too', async () => {
      for (const from of [null, position('won')]) {
        const to = from === null ? position('won') : position('again');
        const moves = Array.from({ length: 8 }, (_, index) => commit([put(`m${index}`, note())], { from, to }));
        expect((await Promise.all(moves)).filter((outcome) => outcome === 'committed')).toHaveLength(1);
      }
      const written = await Promise.all(Array.from({ length: 8 }, (_, index) => find(`m${index}`)));
      expect(written.filter((each) => each !== null).length).toBeLessThanOrEqual(2);
    });

    it('moves a checkpoint without rows, by the same compare-and-set', async () => {
      const move = { consumer: notes.name, partition: 'log', from: null, to: position('c1') };
      expect(await readStore.moveCheckpoint(move)).toBe('committed');
      expect(await readStore.moveCheckpoint(move)).toBe('moved');
      expect(await readStore.moveCheckpoint({ ...move, from: position('c1'), to: position('c2') })).toBe('committed');
      expect(await readStore.loadCheckpoint(notes.name, 'log')).toBe('c2');
    });

    it('forgets a checkpoint that nobody moved since, so that its consumer begins again', async () => {
      const place = { consumer: notes.name, partition: 'log', from: position('c1') };
      expect(await readStore.forgetCheckpoint(place)).toBe('moved');
      await readStore.moveCheckpoint({ ...place, from: null, to: position('c1') });
      expect(await readStore.forgetCheckpoint({ ...place, from: position('c0') })).toBe('moved');
      expect(await readStore.forgetCheckpoint({ ...place, partition: 'other' })).toBe('moved');
      expect(await readStore.forgetCheckpoint(place)).toBe('committed');
      expect(await readStore.loadCheckpoint(notes.name, 'log')).toBeNull();
      const late = { ...place, to: position('c2') };
      expect(await readStore.moveCheckpoint(late)).toBe('moved');
      expect(await readStore.moveCheckpoint({ ...late, from: null })).toBe('committed');
    });

    it('leaves neither rows nor progress nor checkpoint of a batch that fails in the middle', async () => {
      const progress = [{ stream: 'order-1' as StreamName, revision: 0, eventId: newEventId() }];
      const broken = { ...note(), at: null as unknown as string, tags: null as unknown as string[] };
      const poison: View<Note> = {
        ...notes,
        columns: {
          ...notes.columns,
          at: { type: 'timestamptz', of: () => { throw new Error('a bug in a column'); } }, // prettier-ignore
        },
      };
      const batch = commit([put('a', note()), put('b', broken)], { view: poison, progress });
      const cause: unknown = expect.objectContaining({ message: 'a bug in a column' });
      await expect(batch).rejects.toMatchObject({ code: 'POISON_VALUE', retryable: false, cause });
      expect(await find('a')).toBeNull();
      expect(await readStore.loadCheckpoint(notes.name, 'log')).toBeNull();
      expect((await readStore.loadProgress(notes.name, ['order-1' as StreamName])).size).toBe(0);
    });

    it('keeps the last progress of each stream for its consumer', async () => {
      const stream = 'order-1' as StreamName;
      const first = { stream, revision: 0, eventId: newEventId() };
      const second = { stream, revision: 7, eventId: newEventId() };
      await commit([], { progress: [first] });
      await commit([], { progress: [second], from: position('c1'), to: position('c2') });
      expect(await readStore.loadProgress(notes.name, [stream, 'order-2' as StreamName])).toEqual(
        new Map([[stream, second]]),
      );
      expect((await readStore.loadProgress('other', [stream])).size).toBe(0);
    });

    describe('list', () => {
      const day = (number: number): string => `2026-01-0${number}T00:00:00.000Z`;
      const list = async (filters: readonly Filter[], after?: { value: string; key: string }): Promise<string[]> => {
        const query = { view: notes, tenantId, filters, newestBy: 'at', limit: 3 };
        const rows = await readStore.list(after === undefined ? query : { ...query, after });
        return rows.map(({ key }) => key);
      };
      beforeEach(() =>
        commit([
          put('a', note({ at: day(1), owner: 'ann', size: 5 })),
          put('b', note({ at: day(2), owner: 'bob', tags: ['x', 'y "z"'] })),
          put('c', note({ at: day(2), owner: 'ann', text: null })),
          put('d', note({ at: day(4), owner: 'ann', tags: ['x'] })),
          put('z', note({ at: day(5) }), otherTenant),
        ]),
      );

      it('is newest first, then by key downwards, and goes on after a row', async () => {
        expect(await list([])).toEqual(['d', 'c', 'b']);
        expect(await list([], { value: day(2), key: 'c' })).toEqual(['b', 'a']);
      });

      it('filters by equality, range and membership, all at once', async () => {
        expect(await list([{ column: 'owner', equals: 'ann' }])).toEqual(['d', 'c', 'a']);
        expect(await list([{ column: 'size', equals: 5 }])).toEqual(['a']);
        expect(await list([{ column: 'tags', contains: 'y "z"' }])).toEqual(['b']);
        expect(await list([{ column: 'at', from: day(2), to: day(4) }])).toEqual(['c', 'b']);
        expect(await list([{ column: 'owner', equals: 'ann' }, { column: 'tags', contains: 'x' }])).toEqual(['d']); // prettier-ignore
        expect(await list([{ column: 'text', equals: 'null' }])).toEqual([]);
      });

      it('takes any text as a value, never as SQL', async () => {
        expect(await list([{ column: 'owner', equals: "'; drop schema views; --" }])).toEqual([]);
        await expect(list([{ column: 'owner; drop', equals: 'x' }])).rejects.toThrow('no column');
      });
    });

    it('scans every document by tenant and key, over pages', async () => {
      const keys = Array.from({ length: 1_203 }, (_, index) => `k${String(index).padStart(4, '0')}`);
      await commit([...keys.map((key) => put(key, note())).reverse(), put('a', note(), otherTenant)]);
      const scanned: string[] = [];
      for await (const row of readStore.scan(notes)) scanned.push(`${row.tenantId}/${row.key}`);
      expect(scanned).toEqual(['rival/a', ...keys.map((key) => `shop/${key}`)]);
    });

    it('counts the rows of each value of a column, of all tenants, leaving out what has none', async () => {
      expect(await readStore.countBy(notes, 'owner')).toEqual(new Map());
      const owners = ['ann', 'bob', 'ann', "o'hara"].map((owner, index) => put(`n${index}`, note({ owner })));
      await commit([...owners, put('n0', note({ text: null }), otherTenant)]);
      const counted = await readStore.countBy(notes, 'owner');
      expect([...counted].sort()).toEqual([
        ['ann', 3],
        ['bob', 1],
        ["o'hara", 1],
      ]);
      expect(await readStore.countBy(notes, 'text')).toEqual(new Map([['hello', 4]]));
      await expect(readStore.countBy(notes, 'price')).rejects.toThrow('no column price');
    });

    describe('due rows', () => {
      const past = '2020-01-01T00:00:00.000Z';
      const commitAlarms = (documents: readonly DocumentWrite[], from: Checkpoint | null, to: string) =>
        commit(documents, { view: alarms, from, to: position(to) });

      it('are claimed once within a lease, oldest first, by however many', async () => {
        const rows = Array.from({ length: 40 }, (_, index) => put(`t${index}`, { dueAt: past, note: 'x' }));
        const older = { dueAt: '2019-01-01T00:00:00.000Z', note: 'older' };
        const later = { dueAt: '2999-01-01T00:00:00.000Z', note: 'later' };
        await commitAlarms([...rows, put('later', later), put('older', older)], null, 'c1');
        const first = await readStore.claimDue(alarms, { limit: 1, leaseMs: 60_000 });
        expect(first).toEqual([{ tenantId, key: 'older', document: older }]);
        const claims = Array.from({ length: 8 }, () => readStore.claimDue(alarms, { limit: 7, leaseMs: 60_000 }));
        const claimed = (await Promise.all(claims)).flat().map(({ key }) => key);
        expect(new Set(claimed).size).toBe(claimed.length);
        const rest = await readStore.claimDue(alarms, { limit: 100, leaseMs: 60_000 });
        expect([...claimed, ...rest.map(({ key }) => key)].sort()).toEqual(rows.map(({ key }) => key).sort());
        expect(await readStore.claimDue(alarms, { limit: 100, leaseMs: 60_000 })).toEqual([]);
      });

      it('can be claimed again after the lease, and when they are due anew, not when they are written as before', async () => {
        await commitAlarms([put('t', { dueAt: past, note: 'x' })], null, 'c1');
        expect(await readStore.claimDue(alarms, { limit: 1, leaseMs: 60_000 })).toHaveLength(1);
        await commitAlarms([put('t', { dueAt: past, note: 'same due' })], position('c1'), 'c2');
        expect(await readStore.claimDue(alarms, { limit: 1, leaseMs: 60_000 })).toEqual([]);
        await commitAlarms([put('t', { dueAt: '2021-01-01T00:00:00.000Z', note: 'anew' })], position('c2'), 'c3');
        expect(await readStore.claimDue(alarms, { limit: 1, leaseMs: 1 })).toHaveLength(1);
        // The lease of one millisecond is the clock under test.
        await sleep(5);
        expect(await readStore.claimDue(alarms, { limit: 1, leaseMs: 1 })).toHaveLength(1);
      });
    });

    it('forgets rows, progress and checkpoint of a cleared view, and of no other', async () => {
      const stream = 'order-1' as StreamName;
      const progress = [{ stream, revision: 0, eventId: newEventId() }];
      await commit([put('a', note())], { progress });
      await commit([put('t', { dueAt: '2020-01-01T00:00:00.000Z', note: 'x' })], { view: alarms });
      await readStore.clear(notes);
      expect(await find('a')).toBeNull();
      expect(await readStore.loadCheckpoint(notes.name, 'log')).toBeNull();
      expect((await readStore.loadProgress(notes.name, [stream])).size).toBe(0);
      expect(await readStore.loadCheckpoint(alarms.name, 'log')).toBe('c1');
    });

    it('tells where every consumer stands, and which streams one has seen', async () => {
      const seen = ['order-b', 'order-a', 'order-B'].map((stream, revision) => {
        return { stream: stream as StreamName, revision, eventId: newEventId() };
      });
      await commit([put('a', note())], { progress: seen });
      await commit([], {
        view: alarms,
        progress: [{ stream: seen[0]?.stream as StreamName, revision: 7, eventId: newEventId() }],
      });
      await readStore.moveCheckpoint({ consumer: 'a-consumer', partition: 'p', from: null, to: position('c9') });
      expect(await readStore.checkpoints()).toEqual([
        { consumer: 'a-consumer', partition: 'p', position: 'c9' },
        { consumer: alarms.name, partition: 'log', position: 'c1' },
        { consumer: notes.name, partition: 'log', position: 'c1' },
      ]);
      const progress = await allOf(readStore.scanProgress(notes.name));
      expect(progress).toEqual([seen[2], seen[1], seen[0]]);
      await readStore.clearAll();
    });

    it('forgets everything of everybody, and can be filled again at once', async () => {
      const stream = 'order-1' as StreamName;
      await commit([put('a', note())], { progress: [{ stream, revision: 0, eventId: newEventId() }] });
      await commit([put('t', { dueAt: '2020-01-01T00:00:00.000Z', note: 'x' })], { view: alarms });
      await readStore.moveCheckpoint({ consumer: 'fulfillment', partition: 'log', from: null, to: position('c9') });
      await readStore.clearAll();
      expect(await readStore.checkpoints()).toEqual([]);
      expect(await find('a')).toBeNull();
      expect((await readStore.loadProgress(notes.name, [stream])).size).toBe(0);
      expect(await allOf(readStore.scan(alarms))).toEqual([]);
      expect(await commit([put('a', note())])).toBe('committed');
    });

    it('keeps a view that is prepared again, and empties one of another version', async () => {
      await commit([put('a', note())]);
      await readStore.prepare(exampleViews);
      expect(await find('a')).toEqual(note());
      const next: View<Note> = { ...notes, version: 2, columns: { owner: notes.columns.owner as never } };
      await readStore.prepare([{ ...next, indexes: [['owner']] }]);
      expect(await find('a')).toBeNull();
      expect(await readStore.loadCheckpoint(notes.name, 'log')).toBeNull();
    });

    it('answers a ping', async () => {
      await expect(readStore.ping()).resolves.toBeUndefined();
    });
  });
}
