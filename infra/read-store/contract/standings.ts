import { expect, it } from 'vitest';
import { newEventId, type StreamName } from '../../../schemas/ids.ts';
import type { View } from '../port.ts';
import { alarms, exampleViews, note, notes, position, put, type Note, type TestedStore } from './tested-store.ts';

async function allOf<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What it tells of where consumers stand, and how it forgets: one view, or everything. */
export function standingsContract(tested: TestedStore): void {
  const { commit, find } = tested;

  it('forgets rows, progress and checkpoint of a cleared view, and of no other', async () => {
    const stream = 'order-1' as StreamName;
    const progress = [{ stream, revision: 0, eventId: newEventId() }];
    await commit([put('a', note())], { progress });
    await commit([put('t', { dueAt: '2020-01-01T00:00:00.000Z', note: 'x' })], { view: alarms });
    await tested.readStore.clear(notes);
    expect(await find('a')).toBeNull();
    expect(await tested.readStore.loadCheckpoint(notes.name, 'log')).toBeNull();
    expect((await tested.readStore.loadProgress(notes.name, [stream])).size).toBe(0);
    expect(await tested.readStore.loadCheckpoint(alarms.name, 'log')).toBe('c1');
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
    await tested.readStore.moveCheckpoint({ consumer: 'a-consumer', partition: 'p', from: null, to: position('c9') });
    expect(await tested.readStore.checkpoints()).toEqual([
      { consumer: 'a-consumer', partition: 'p', position: 'c9' },
      { consumer: alarms.name, partition: 'log', position: 'c1' },
      { consumer: notes.name, partition: 'log', position: 'c1' },
    ]);
    const progress = await allOf(tested.readStore.scanProgress(notes.name));
    expect(progress).toEqual([seen[2], seen[1], seen[0]]);
    await tested.readStore.clearAll();
  });

  it('forgets everything of everybody, and can be filled again at once', async () => {
    const stream = 'order-1' as StreamName;
    await commit([put('a', note())], { progress: [{ stream, revision: 0, eventId: newEventId() }] });
    await commit([put('t', { dueAt: '2020-01-01T00:00:00.000Z', note: 'x' })], { view: alarms });
    await tested.readStore.moveCheckpoint({
      consumer: 'fulfillment',
      partition: 'log',
      from: null,
      to: position('c9'),
    });
    await tested.readStore.clearAll();
    expect(await tested.readStore.checkpoints()).toEqual([]);
    expect(await find('a')).toBeNull();
    expect((await tested.readStore.loadProgress(notes.name, [stream])).size).toBe(0);
    expect(await allOf(tested.readStore.scan(alarms))).toEqual([]);
    expect(await commit([put('a', note())])).toBe('committed');
  });

  it('keeps a view that is prepared again, and empties one of another version', async () => {
    await commit([put('a', note())]);
    await tested.readStore.prepare(exampleViews);
    expect(await find('a')).toEqual(note());
    const next: View<Note> = { ...notes, version: 2, columns: { owner: notes.columns.owner as never } };
    await tested.readStore.prepare([{ ...next, indexes: [['owner']] }]);
    expect(await find('a')).toBeNull();
    expect(await tested.readStore.loadCheckpoint(notes.name, 'log')).toBeNull();
  });
}
