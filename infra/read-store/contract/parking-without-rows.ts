import { expect, it } from 'vitest';
import { newEventId, type StreamName } from '../../../schemas/ids.ts';
import { withoutRows, type ParkedEvent, type ParkedStream } from '../parking.ts';
import { position, tenantId, type TestedStore } from './tested-store.ts';

const consumer = 'test-listener';
const stream = 'order-1' as StreamName;

const parked: ParkedStream = {
  ...{ consumer, stream, tenantId, firstRevision: 3, firstPosition: position('p3'), lastRevision: 3 },
  ...{ fingerprint: 'f1', error: 'TypeError at x.ts:1', since: '2026-01-01T00:00:00.000Z', attempts: 0 },
  ...{ lastAttemptAt: null, state: 'parked' },
};
const waiting: ParkedEvent = {
  stream,
  revision: 3,
  eventId: newEventId(),
  position: position('p3'),
  type: 'OrderPlaced',
};

/** What it promises to a consumer that has a checkpoint and no rows: it parks and is mended as a view is. */
export function parkingWithoutRowsContract(tested: TestedStore): void {
  const move = (from: string | null, to: string, turn?: string) => {
    const place = { consumer, partition: 'log', from: from === null ? null : position(from), to: position(to) };
    return turn === undefined ? place : { ...place, turn };
  };
  const mendAs = (mended: ParkedStream | null): Promise<ParkedStream | null> =>
    tested.readStore.parking.mend({
      ...{ view: withoutRows(consumer), stream, keys: [] },
      fold: (held) => ({ answer: held.parked, mended: { documents: [], progress: null, parked: mended } }),
    });

  it('parks with the move of a checkpoint, and nothing where another owner moved it', async () => {
    await tested.readStore.clearAll();
    const parking = { streams: [parked], events: [waiting] };
    expect(await tested.readStore.moveCheckpoint(move('elsewhere', 'c1'), parking)).toBe('moved');
    expect(await tested.readStore.parking.streams(consumer)).toEqual([]);
    expect(await tested.readStore.moveCheckpoint(move(null, 'c1'), parking)).toBe('committed');
    expect(await tested.readStore.loadPlace(consumer, 'log')).toMatchObject({ checkpoint: 'c1', parked: [parked] });
    expect(await tested.readStore.parking.events(consumer, stream, 9)).toEqual([waiting]);
  });

  it('mends what a consumer without a table parked, and takes its turn', async () => {
    await tested.readStore.clearAll();
    await tested.readStore.moveCheckpoint(move(null, 'c1'), { streams: [parked], events: [waiting] });
    const { turn } = await tested.readStore.loadPlace(consumer, 'log');
    const anew: ParkedStream = { ...parked, attempts: 1, lastAttemptAt: parked.since };
    expect(await mendAs(anew)).toEqual(parked);
    expect(await tested.readStore.moveCheckpoint(move('c1', 'c2', turn))).toBe('moved');
    expect(await mendAs(null)).toEqual(anew);
    expect(await tested.readStore.loadPlace(consumer, 'log')).toMatchObject({ checkpoint: 'c1', parked: [] });
    expect(await tested.readStore.parking.events(consumer, stream, 9)).toEqual([]);
    expect(await mendAs(null)).toBeNull();
  });

  it('forgets what it parked with everything else', async () => {
    await tested.readStore.clearAll();
    await tested.readStore.moveCheckpoint(move(null, 'c1'), { streams: [parked], events: [waiting] });
    await tested.readStore.clearAll();
    expect(await tested.readStore.parking.streams(consumer)).toEqual([]);
    expect(await tested.readStore.parking.events(consumer, stream, 9)).toEqual([]);
  });
}
