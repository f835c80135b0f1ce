import { describe, expect, it } from 'vitest';

import type { Position } from '../port.ts';
import { appended, eventsOf, exampleAppend, newOrderStream } from './examples.ts';
import { onFreshStore, type OpenStore } from './harness.ts';

export function lifecycleScenarios(open: OpenStore): void {
  describe('the store', () => {
    it(
      'tells listeners of this process each appended position, and nothing where nothing was appended',
      onFreshStore(open, async (store) => {
        const heard: Position[] = [];
        store.onAppend((position) => heard.push(position));
        const first = exampleAppend({ events: eventsOf(2) });
        const { position } = await appended(store, first);
        await store.append(exampleAppend({ commandId: first.commandId }));
        await store.append(exampleAppend({ stream: first.stream }));
        expect(heard).toEqual([position]);
      }),
    );

    it(
      'no longer tells a listener that has stopped listening',
      onFreshStore(open, async (store) => {
        const heard: string[] = [];
        const stop = store.onAppend(() => heard.push('stopped'));
        store.onAppend(() => heard.push('listening'));
        stop();
        await appended(store);
        expect(heard).toEqual(['listening']);
      }),
    );

    it(
      'hashes a payload alike for every process, by its meaning and not its spelling',
      onFreshStore(open, async (store, second) => {
        const other = await second();
        const hash = store.commandHash({ kind: 'CancelOrder', reason: 'ação' });
        expect(hash).toMatch(/^[0-9a-f]{64}$/);
        expect(other.commandHash({ reason: 'ação', kind: 'CancelOrder', note: undefined })).toBe(hash);
        expect(store.commandHash({ kind: 'CancelOrder', reason: 'acao' })).not.toBe(hash);
      }),
    );

    it(
      'has one epoch for every process, and another store has another',
      onFreshStore(open, async (store, second) => {
        expect((await second()).epoch).toBe(store.epoch);
        const foreign = await open();
        expect(foreign.store.epoch).not.toBe(store.epoch);
        await foreign.close();
      }),
    );

    it(
      'answers a ping, and has nothing queued when all is answered',
      onFreshStore(open, async (store) => {
        await Promise.all(Array.from({ length: 30 }, () => appended(store)));
        await store.ping();
        expect(store.status().queued).toBe(0);
      }),
    );

    it(
      'finishes what was asked before it is closed, and refuses appends from then on',
      onFreshStore(open, async (store, second) => {
        const other = await second();
        const appends = Array.from({ length: 20 }, () => exampleAppend());
        const answers = appends.map((append) => other.append(append));
        await other.close();
        const outcomes = (await Promise.all(answers)).map(({ outcome }) => outcome);
        expect(new Set(outcomes)).toEqual(new Set(['appended']));
        const late = exampleAppend({ stream: newOrderStream() });
        await expect(other.append(late)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
        expect(await store.readStream({ stream: late.stream })).toEqual([]);
      }),
    );
  });
}
