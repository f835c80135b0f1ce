import { expect, it } from 'vitest';
import { newEventId, type StreamName } from '../../../schemas/ids.ts';
import type { Progress, View } from '../port.ts';
import { note, notes, position, put, type Note, type TestedStore } from './tested-store.ts';

/** What it promises of a batch: rows, progress and checkpoint together or nothing, and one owner at a time. */
export function batchesContract(tested: TestedStore): void {
  const { commit, find } = tested;

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
    expect(await tested.readStore.loadCheckpoint(notes.name, 'log')).toBe('c1');
    const streams = [one.stream, two.stream];
    expect([...(await tested.readStore.loadProgress(notes.name, streams)).values()]).toEqual([one]);
    expect(await commit([put('b', note())], { ...next, progress: [{ ...one, revision: 1 }], begun: [two] })).toBe(
      'committed',
    );
    expect((await tested.readStore.loadProgress(notes.name, streams)).size).toBe(2);
  });

  it('says that the checkpoint moved before it says that a stream was seen', async () => {
    const one: Progress = { stream: 'order-one' as StreamName, revision: 0, eventId: newEventId() };
    expect(await commit([], { begun: [one] })).toBe('committed');
    expect(await commit([], { from: position('other'), to: position('c3'), begun: [one] })).toBe('moved');
  });

  it('remembers the checkpoint of each consumer and partition', async () => {
    await commit([put('a', note())]);
    expect(await tested.readStore.loadCheckpoint(notes.name, 'log')).toBe('c1');
    expect(await tested.readStore.loadCheckpoint(notes.name, 'other')).toBeNull();
    expect(await tested.readStore.loadCheckpoint('other', 'log')).toBeNull();
  });

  it('writes nothing of a batch whose checkpoint another owner moved', async () => {
    const progress = [{ stream: 'order-1' as StreamName, revision: 0, eventId: newEventId() }];
    await commit([put('a', note())]);
    expect(await commit([put('a', note({ text: 'stale' })), put('b', note())], { progress })).toBe('moved');
    expect(await commit([put('b', note())], { from: position('other'), to: position('c9'), progress })).toBe('moved');
    expect([(await find('a'))?.text, await find('b')]).toEqual(['hello', null]);
    expect(await tested.readStore.loadCheckpoint(notes.name, 'log')).toBe('c1');
    expect((await tested.readStore.loadProgress(notes.name, ['order-1' as StreamName])).size).toBe(0);
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
    expect(await tested.readStore.moveCheckpoint(move)).toBe('committed');
    expect(await tested.readStore.moveCheckpoint(move)).toBe('moved');
    expect(await tested.readStore.moveCheckpoint({ ...move, from: position('c1'), to: position('c2') })).toBe(
      'committed',
    );
    expect(await tested.readStore.loadCheckpoint(notes.name, 'log')).toBe('c2');
  });

  it('forgets a checkpoint that nobody moved since, so that its consumer begins again', async () => {
    const { readStore } = tested;
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
    expect(await tested.readStore.loadCheckpoint(notes.name, 'log')).toBeNull();
    expect((await tested.readStore.loadProgress(notes.name, ['order-1' as StreamName])).size).toBe(0);
  });

  it('keeps the last progress of each stream for its consumer', async () => {
    const stream = 'order-1' as StreamName;
    const first = { stream, revision: 0, eventId: newEventId() };
    const second = { stream, revision: 7, eventId: newEventId() };
    await commit([], { progress: [first] });
    await commit([], { progress: [second], from: position('c1'), to: position('c2') });
    expect(await tested.readStore.loadProgress(notes.name, [stream, 'order-2' as StreamName])).toEqual(
      new Map([[stream, second]]),
    );
    expect((await tested.readStore.loadProgress('other', [stream])).size).toBe(0);
  });
}
