import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newEventId, type StreamName, type TenantId } from '../../../schemas/ids.ts';
import type { Checkpoint } from '../../event-feed/port.ts';
import type { Mended, ParkedEvent, ParkedStream, Parking } from '../parking.ts';
import type { BatchWrite, CommitOutcome, CheckpointMove, ReadStore, View } from '../port.ts';
import type { ReadStoreUnderTest } from './tested-store.ts';

type Counter = { readonly count: number; readonly at: string };

const counters: View<Counter> = {
  name: 'test-counters',
  version: 1,
  columns: { at: { type: 'timestamptz', of: ({ at }) => at } },
  indexes: [['at']],
};

const tenantId = 'shop' as TenantId;
const consumer = counters.name;
const at = '2026-01-01T00:00:00.000Z';
const one = 'order-1' as StreamName;
const two = 'order-2' as StreamName;
const key = { tenantId, key: 'a' };

function position(name: string): Checkpoint {
  return name as Checkpoint;
}

function parked(stream: StreamName, changes: Partial<ParkedStream> = {}): ParkedStream {
  return {
    ...{ consumer, stream, tenantId, firstRevision: 3, firstPosition: position('p3'), lastRevision: 3 },
    ...{ fingerprint: 'f1', error: 'TypeError at x.ts:1', since: at, attempts: 0, lastAttemptAt: null },
    ...{ state: 'parked', ...changes },
  };
}

function waits(stream: StreamName, revision: number): ParkedEvent {
  return { stream, revision, eventId: newEventId(), position: position(`p${revision}`), type: 'OrderPlaced' };
}

/** What every read store promises of parked streams. */
export function parkingContract(name: string, open: () => Promise<ReadStoreUnderTest>): void {
  describe(`parking: ${name}`, () => {
    let tested: ReadStoreUnderTest;
    let readStore: ReadStore;

    beforeAll(async () => {
      tested = await open();
      readStore = tested.readStore;
    });
    afterAll(() => tested.close());
    beforeEach(async () => {
      await readStore.prepare([counters]);
      await readStore.clear(counters);
    });

    const move = (changes: Partial<CheckpointMove> = {}): CheckpointMove => {
      return { consumer, partition: 'log', from: null, to: position('c1'), ...changes };
    };
    const commit = (parking: Parking, changes: Partial<BatchWrite> = {}): Promise<CommitOutcome> =>
      readStore.commit({ view: counters, documents: [], progress: [], move: move(), parking, ...changes });
    const count = async (): Promise<number | null> => (await readStore.find(counters, [key]))[0]?.count ?? null;
    const put = (value: number) => [{ ...key, document: { count: value, at } }];
    /** Changes the stream as told, whatever is there. */
    const mend = (stream: StreamName, mended: Partial<Mended>): Promise<string> =>
      readStore.parking.mend({
        ...{ view: counters, stream, keys: [key] },
        fold: (held) => ({
          answer: held.parked?.stream ?? 'gone',
          mended: { documents: [], progress: null, parked: held.parked, ...mended },
        }),
      });

    it('parks with the batch, and loads what is parked with the place', async () => {
      const streams = [parked(one), parked(two, { fingerprint: 'f2' })];
      await commit({ streams, events: [waits(one, 3)] });
      const place = await readStore.loadPlace(consumer, 'log');
      expect(place.checkpoint).toBe('c1');
      expect([...place.parked].sort((a, b) => (a.stream < b.stream ? -1 : 1))).toEqual(streams);
      expect(await readStore.parking.streams('other')).toEqual([]);
    });

    it('parks nothing of a batch whose checkpoint another owner moved', async () => {
      await commit({ streams: [], events: [] });
      expect(await commit({ streams: [parked(one)], events: [waits(one, 3)] })).toBe('moved');
      expect(await readStore.parking.streams(consumer)).toEqual([]);
      expect(await readStore.parking.events(consumer, one, 10)).toEqual([]);
    });

    it('notes each event once, in order, and keeps since when a stream is parked', async () => {
      const [third, fourth] = [waits(one, 3), waits(one, 4)];
      await commit({ streams: [parked(one)], events: [third] });
      const again = { ...parked(one, { lastRevision: 4, since: '2027-01-01T00:00:00.000Z' }) };
      const next = { move: move({ from: position('c1'), to: position('c2') }) };
      await commit({ streams: [again], events: [fourth, third, third] }, next);
      expect(await readStore.parking.events(consumer, one, 10)).toEqual([third, fourth]);
      expect(await readStore.parking.events(consumer, one, 1)).toEqual([third]);
      expect(await readStore.parking.streams(consumer)).toEqual([parked(one, { lastRevision: 4 })]);
    });

    it('lists streams by consumer and stream, over pages, by each filter', async () => {
      const odd = parked(two, { fingerprint: 'f2', state: 'discarded' });
      await commit({ streams: [odd, parked(one)], events: [waits(one, 3), waits(one, 4)] });
      const list = async (filter = {}, after?: Pick<ParkedStream, 'consumer' | 'stream'>, limit = 10) =>
        (await readStore.parking.list({ filter, after, limit })).map(({ stream, events }) => [stream, events]);
      expect(await list()).toEqual([[one, 2], [two, 0]]); // prettier-ignore
      expect(await list({}, undefined, 1)).toEqual([[one, 2]]);
      expect(await list({}, { consumer, stream: one })).toEqual([[two, 0]]);
      expect(await list({ consumer: 'other' })).toEqual([]);
      expect(await list({ consumer, fingerprint: 'f2' })).toEqual([[two, 0]]);
      expect(await list({ streams: [two, 'order-3'] })).toEqual([[two, 0]]);
      expect(await list({ state: 'parked' })).toEqual([[one, 2]]);
    });

    it('groups by error, the largest first', async () => {
      const three = 'order-3' as StreamName;
      const streams = [parked(two, { fingerprint: 'f2' }), parked(one, { fingerprint: 'f2' }), parked(three)];
      await commit({ streams, events: [waits(one, 3), waits(two, 3), waits(two, 4)] });
      const group = { consumer, error: 'TypeError at x.ts:1', state: 'parked', since: at };
      expect(await readStore.parking.groups()).toEqual([
        { ...group, fingerprint: 'f2', streams: 2, events: 3, example: one },
        { ...group, fingerprint: 'f1', streams: 1, events: 0, example: three },
      ]);
    });

    it('mends documents, progress and parking together, from what is there', async () => {
      const progress = { stream: one, revision: 2, eventId: newEventId() };
      await commit({ streams: [parked(one)], events: [waits(one, 3)] }, { documents: put(1), progress: [progress] });
      const after = { stream: one, revision: 3, eventId: newEventId() };
      const held = await readStore.parking.mend({
        ...{ view: counters, stream: one, keys: [{ tenantId, key: 'none' }, key] },
        fold: (given) => ({ answer: given, mended: { documents: put(2), progress: after, parked: null } }),
      });
      expect(held).toEqual({ parked: parked(one), progress, documents: [null, { count: 1, at }] });
      expect(await count()).toBe(2);
      expect(await readStore.loadProgress(consumer, [one])).toEqual(new Map([[one, after]]));
      expect(await readStore.parking.streams(consumer)).toEqual([]);
      expect(await readStore.parking.events(consumer, one, 10)).toEqual([]);
    });

    it('keeps the events that still wait, and none of a discarded stream', async () => {
      const fifth = waits(one, 5);
      await commit({ streams: [parked(one), parked(two)], events: [waits(one, 3), fifth, waits(two, 3)] });
      await mend(one, { parked: parked(one, { firstRevision: 4, attempts: 1, lastAttemptAt: at }) });
      expect(await readStore.parking.events(consumer, one, 10)).toEqual([fifth]);
      await mend(two, { parked: parked(two, { state: 'discarded' }) });
      expect(await readStore.parking.events(consumer, two, 10)).toEqual([]);
      expect(await readStore.parking.list({ filter: { state: 'discarded' }, limit: 5 })).toHaveLength(1);
    });

    it('gives the place a new turn, so that who loaded it before can commit nothing', async () => {
      await commit({ streams: [parked(one)], events: [] });
      const before = await readStore.loadPlace(consumer, 'log');
      expect(await mend(one, { parked: null, documents: put(7) })).toBe(one);
      const stale = move({ from: position('c1'), to: position('c2'), turn: before.turn });
      expect(await commit({ streams: [], events: [] }, { move: stale, documents: put(0) })).toBe('moved');
      expect(await readStore.moveCheckpoint(stale)).toBe('moved');
      expect(await count()).toBe(7);
      const now = await readStore.loadPlace(consumer, 'log');
      expect(now).toMatchObject({ checkpoint: 'c1', parked: [] });
      expect(await readStore.moveCheckpoint({ ...stale, turn: now.turn })).toBe('committed');
      expect((await readStore.loadPlace(consumer, 'log')).turn).toBe(now.turn);
    });

    it('changes nothing, and takes no turn, where nothing is to be mended', async () => {
      await commit({ streams: [parked(one)], events: [] });
      const before = await readStore.loadPlace(consumer, 'log');
      const idle = { view: counters, stream: two, keys: [] };
      const answer = await readStore.parking.mend({ ...idle, fold: ({ parked: none }) => ({ answer: none, mended: null }) }); // prettier-ignore
      expect(answer).toBeNull();
      expect(await readStore.loadPlace(consumer, 'log')).toEqual(before);
    });

    it('lets mends and commits at the same moment follow each other, and loses none of their writes', async () => {
      await commit({ streams: [parked(one)], events: [] }, { documents: put(0) });
      const add = (): Promise<void> =>
        readStore.parking.mend({
          ...{ view: counters, stream: one, keys: [key] },
          fold: ({ documents: [found], parked: still }) => ({
            answer: undefined,
            mended: { documents: put((found as Counter).count + 1), progress: null, parked: still },
          }),
        });
      const commitOne = async (): Promise<void> => {
        for (;;) {
          const { checkpoint, turn } = await readStore.loadPlace(consumer, 'log');
          const next = move({ from: checkpoint, to: position(`${checkpoint ?? ''}+`), turn });
          const documents = put(((await count()) ?? 0) + 1);
          if ((await commit({ streams: [], events: [] }, { move: next, documents })) === 'committed') return;
        }
      };
      await Promise.all([...Array.from({ length: 12 }, add), ...Array.from({ length: 4 }, commitOne)]);
      expect(await count()).toBe(16);
    });

    it('says POISON_VALUE of a document that cannot be held, and leaves all as it was', async () => {
      await commit({ streams: [parked(one)], events: [] }, { documents: put(1) });
      const broken: View<Counter> = {
        ...counters,
        columns: {
          at: {
            type: 'timestamptz',
            of: ({ count: value }) => {
              if (value < 0) throw new Error('a bug in a column');
              return at;
            },
          },
        },
      };
      const poison = { code: 'POISON_VALUE', retryable: false };
      await expect(readStore.probe(broken, put(-1))).rejects.toMatchObject(poison);
      await readStore.probe(broken, put(5));
      const mending = readStore.parking.mend({
        ...{ view: broken, stream: one, keys: [key] },
        fold: () => ({ answer: 'x', mended: { documents: put(-1), progress: null, parked: null } }),
      });
      await expect(mending).rejects.toMatchObject(poison);
      expect(await count()).toBe(1);
      expect(await readStore.parking.streams(consumer)).toEqual([parked(one)]);
    });

    it('forgets what is parked of a cleared view', async () => {
      await commit({ streams: [parked(one)], events: [waits(one, 3)] });
      await readStore.clear(counters);
      expect(await readStore.parking.groups()).toEqual([]);
      expect(await readStore.parking.events(consumer, one, 10)).toEqual([]);
    });
  });
}
