import { describe, expect, it } from 'vitest';

import { appended, eventsOf, exampleAppend, exampleEvent, newCommandId, otherShop, shop } from './examples.ts';
import { onFreshStore, type OpenStore } from './harness.ts';

export function rehearsalScenarios(open: OpenStore): void {
  describe('a rehearsed append', () => {
    it(
      'is answered as appendable and leaves the command, the claim and the stream as they were',
      onFreshStore(open, async (store, second) => {
        const append = exampleAppend({ claim: 'PO-1', events: eventsOf(2) });
        for (const handle of [store, await second()]) {
          expect(await handle.rehearse(append)).toEqual({ outcome: 'appendable' });
        }
        expect(await store.readStream({ stream: append.stream })).toEqual([]);
        expect(await store.findCommand(shop, append.commandId)).toBeNull();
        expect((await store.readLog({ after: null, limit: 10 })).events).toEqual([]);
        expect((await store.append(append)).outcome).toBe('appended');
      }),
    );

    it(
      'is answered as the append would be: known before stale, stale before claimed',
      onFreshStore(open, async (store) => {
        const commandId = newCommandId();
        const { events } = await appended(store, { commandId, claim: 'PO-1' });
        const stream = events[0]?.stream ?? exampleAppend().stream;
        const cases = [
          exampleAppend({ commandId, claim: 'PO-1' }),
          exampleAppend({ stream, claim: 'PO-1' }),
          exampleAppend({ stream, expected: 3 }),
          exampleAppend({ claim: 'PO-1' }),
          exampleAppend({ stream, expected: 0 }),
          exampleAppend({ claim: 'PO-1', tenantId: otherShop }),
        ];
        const rehearsed = await Promise.all(cases.map((append) => store.rehearse(append)));
        expect(rehearsed.map(({ outcome }) => outcome)).toEqual([
          'known',
          'stale',
          'stale',
          'claimed',
          'appendable',
          'appendable',
        ]);
        for (const [index, append] of cases.entries()) {
          const { outcome } = await store.append(append);
          expect(outcome === 'appended' ? 'appendable' : outcome).toBe(rehearsed[index]?.outcome);
        }
      }),
    );

    it(
      'that no store can hold is refused as the append is',
      onFreshStore(open, async (store) => {
        const big = exampleAppend({ events: [exampleEvent({ data: { text: 'x'.repeat(256 * 1024) } })] });
        await expect(store.rehearse(big)).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE', retryable: false });
        await expect(store.append(big)).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE', retryable: false });
        const poison = exampleAppend({ events: [exampleEvent({ data: { text: '\u0000' } })] });
        await expect(store.rehearse(poison)).rejects.toMatchObject({ code: 'POISON_VALUE', retryable: false });
        await expect(store.append(poison)).rejects.toMatchObject({ code: 'POISON_VALUE', retryable: false });
      }),
    );
  });
}
