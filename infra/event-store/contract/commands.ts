import { describe, expect, it } from 'vitest';

import type { Append, AppendResult } from '../port.ts';
import {
  appended,
  eventsOf,
  exampleAnswer,
  exampleAppend,
  hashOf,
  idsOf,
  newCommandId,
  newOrderStream,
  otherShop,
  readUntil,
  shop,
} from './examples.ts';
import { onFreshStore, type OpenStore } from './harness.ts';

export function commandScenarios(open: OpenStore): void {
  describe('a command id', () => {
    it(
      'that was used is known, with the version that it made the first time, whatever came since',
      onFreshStore(open, async (store, second) => {
        const [stream, commandId] = [newOrderStream(), newCommandId()];
        await appended(store, { stream, commandId });
        await appended(store, { stream, expected: 0, events: eventsOf(4) });
        const receipt = { tenantId: shop, commandId, commandHash: hashOf('a'), stream, version: 1, rejection: null };
        for (const handle of [store, await second()]) {
          expect(await handle.append(exampleAppend({ stream, commandId }))).toEqual({ outcome: 'known', receipt });
          expect(await handle.append(exampleAppend({ stream, commandId, expected: 4 }))).toEqual({
            outcome: 'known',
            receipt,
          });
          expect(await handle.findCommand(shop, commandId)).toEqual(receipt);
        }
        expect(await store.readStream({ stream })).toHaveLength(5);
      }),
    );

    it(
      'that comes back with another payload shows the hash of the first',
      onFreshStore(open, async (store) => {
        const commandId = newCommandId();
        await appended(store, { commandId, commandHash: hashOf('a') });
        const again = await store.append(exampleAppend({ commandId, commandHash: hashOf('b') }));
        expect(again).toMatchObject({ outcome: 'known', receipt: { commandHash: hashOf('a') } });
      }),
    );

    it(
      'belongs to the whole tenant: on another stream it is known as well',
      onFreshStore(open, async (store) => {
        const commandId = newCommandId();
        const { events } = await appended(store, { commandId });
        const elsewhere = exampleAppend({ commandId });
        expect(await store.append(elsewhere)).toMatchObject({
          outcome: 'known',
          receipt: { stream: events[0]?.stream },
        });
        expect(await store.readStream({ stream: elsewhere.stream })).toEqual([]);
      }),
    );

    it(
      'of one tenant says nothing about another tenant',
      onFreshStore(open, async (store) => {
        const commandId = newCommandId();
        await appended(store, { commandId });
        expect(await store.findCommand(otherShop, commandId)).toBeNull();
        await appended(store, { commandId, tenantId: otherShop });
      }),
    );

    it(
      'covers all events of its command: the receipt has the version after the last',
      onFreshStore(open, async (store) => {
        const [stream, commandId] = [newOrderStream(), newCommandId()];
        await appended(store, { stream, events: eventsOf(2) });
        await appended(store, { stream, commandId, expected: 1, events: eventsOf(5) });
        const again = await store.append(exampleAppend({ stream, commandId, expected: 6, events: eventsOf(2) }));
        expect(again).toMatchObject({ outcome: 'known', receipt: { version: 7 } });
        expect(await store.readStream({ stream })).toHaveLength(7);
      }),
    );

    it(
      'that comes twice in one tick has one effect',
      onFreshStore(open, async (store) => {
        const [stream, commandId] = [newOrderStream(), newCommandId()];
        const twins = [exampleAppend({ stream, commandId }), exampleAppend({ stream, commandId })];
        const elsewhere = exampleAppend({ commandId });
        const results = await Promise.all([...twins, elsewhere].map((append) => store.append(append)));
        expect(results.map(({ outcome }) => outcome).toSorted()).toEqual(['appended', 'known', 'known']);
        expect(await readUntil(store, 1)).toHaveLength(1);
      }),
    );

    it(
      'has one effect where two processes send the same commands in opposite order',
      onFreshStore(open, async (store, second) => {
        const commands = Array.from({ length: 200 }, () => ({ stream: newOrderStream(), commandId: newCommandId() }));
        const other = await second();
        const send = (command: Partial<Append>): Append => exampleAppend({ ...command, events: eventsOf(2) });
        const [forth, back] = await Promise.all([
          Promise.all(commands.map((command) => store.append(send(command)))),
          Promise.all(commands.toReversed().map((command) => other.append(send(command)))),
        ]);
        const outcomes = back.toReversed().map((result, index) => pairOf(forth[index], result));
        expect(new Set(outcomes)).toEqual(new Set(['appended known']));
        expect(await readUntil(store, 400)).toHaveLength(400);
      }),
    );

    it(
      'is answered as the first time when the very same rows are sent again',
      onFreshStore(open, async (store, second) => {
        const append = exampleAppend({ events: eventsOf(3) });
        const first = await store.append(append);
        expect(await store.append(append)).toEqual(first);
        expect(await (await second()).append(append)).toEqual(first);
        expect(idsOf(await readUntil(store, 3))).toEqual(idsOf(append.events));
      }),
    );

    it(
      'that was never used is not found',
      onFreshStore(open, async (store) => {
        const stale = exampleAppend({ expected: 3 });
        await store.append(stale);
        expect(await store.findCommand(shop, stale.commandId)).toBeNull();
      }),
    );
  });
}

export function claimScenarios(open: OpenStore): void {
  describe('a claim', () => {
    it(
      'is held by one event of the tenant: a second append with it is answered as claimed, and writes nothing',
      onFreshStore(open, async (store, second) => {
        await appended(store, { claim: 'PO-1', events: eventsOf(2) });
        for (const handle of [store, await second()]) {
          const rival = exampleAppend({ claim: 'PO-1' });
          expect(await handle.append(rival)).toEqual({ outcome: 'claimed' });
          expect(await handle.readStream({ stream: rival.stream })).toEqual([]);
          expect(await handle.findCommand(shop, rival.commandId)).toBeNull();
        }
      }),
    );

    it(
      'of one tenant is free for another, and two words do not meet',
      onFreshStore(open, async (store) => {
        await appended(store, { claim: 'PO-1' });
        await appended(store, { claim: 'PO-1', tenantId: otherShop });
        await appended(store, { claim: 'po-1' });
      }),
    );

    it(
      'that many ask for in one tick goes to one of them',
      onFreshStore(open, async (store, second) => {
        const other = await second();
        const rivals = Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? store : other).append(exampleAppend({ claim: 'PO-2' })),
        );
        const outcomes = (await Promise.all(rivals)).map(({ outcome }) => outcome);
        expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome === 'claimed')).toHaveLength(19);
      }),
    );

    it(
      'that a refused append asked for stays free',
      onFreshStore(open, async (store) => {
        expect(await store.append(exampleAppend({ claim: 'PO-3', expected: 5 }))).toEqual({ outcome: 'stale' });
        await appended(store, { claim: 'PO-3' });
      }),
    );

    it(
      'does not hide that the command is known',
      onFreshStore(open, async (store) => {
        const commandId = newCommandId();
        await appended(store, { commandId, claim: 'PO-4' });
        expect(await store.append(exampleAppend({ commandId, claim: 'PO-4' }))).toMatchObject({ outcome: 'known' });
      }),
    );
  });
}

export function answerScenarios(open: OpenStore): void {
  describe('an answer without events', () => {
    it(
      'is kept: an acceptance and a rejection alike, on a stream or on none',
      onFreshStore(open, async (store, second) => {
        const { events } = await appended(store, { events: eventsOf(2) });
        const stream = events[0]?.stream ?? newOrderStream();
        const rejected = exampleAnswer({ stream, version: 2 });
        const accepted = exampleAnswer({ stream, version: 2, rejection: null });
        const onNone = exampleAnswer();
        expect(await store.recordAnswer(rejected, 1)).toEqual({ outcome: 'recorded' });
        expect(await store.recordAnswer(accepted, 1)).toEqual({ outcome: 'recorded' });
        expect(await store.recordAnswer(onNone, 'none')).toEqual({ outcome: 'recorded' });
        const other = await second();
        for (const receipt of [rejected, accepted, onNone]) {
          expect(await other.findCommand(shop, receipt.commandId)).toEqual(receipt);
        }
        expect(await readUntil(store, 2)).toHaveLength(2);
      }),
    );

    it(
      'is refused as stale where the stream has another head than the one decided on',
      onFreshStore(open, async (store) => {
        const { events } = await appended(store, { events: eventsOf(2) });
        const receipt = exampleAnswer({ stream: events[0]?.stream ?? newOrderStream() });
        for (const expected of ['none', 0, 2] as const) {
          expect(await store.recordAnswer(receipt, expected)).toEqual({ outcome: 'stale' });
        }
        expect(await store.recordAnswer(exampleAnswer(), 0)).toEqual({ outcome: 'stale' });
        expect(await store.findCommand(shop, receipt.commandId)).toBeNull();
      }),
    );

    it(
      'is known when it is repeated, as it was the first time, also after the stream moved',
      onFreshStore(open, async (store) => {
        const { stream } = exampleAppend();
        const receipt = exampleAnswer({ stream });
        await store.recordAnswer(receipt, 'none');
        await appended(store, { stream });
        const repeat = exampleAnswer({ stream, commandId: receipt.commandId, version: 1, rejection: null });
        expect(await store.recordAnswer(repeat, 0)).toEqual({ outcome: 'known', receipt });
        expect(await store.recordAnswer(receipt, 'none')).toEqual({ outcome: 'known', receipt });
      }),
    );

    it(
      'and an append of the same command exclude each other, whichever came first',
      onFreshStore(open, async (store, second) => {
        const other = await second();
        const answered = exampleAnswer();
        await store.recordAnswer(answered, 'none');
        const late = exampleAppend({ stream: answered.stream, commandId: answered.commandId });
        expect(await other.append(late)).toEqual({ outcome: 'known', receipt: answered });
        expect(await store.readStream({ stream: late.stream })).toEqual([]);
        const first = exampleAppend();
        await store.append(first);
        const lateAnswer = exampleAnswer({ stream: first.stream, commandId: first.commandId, version: 1 });
        expect(await other.recordAnswer(lateAnswer, 0)).toMatchObject({
          outcome: 'known',
          receipt: { rejection: null, version: 1 },
        });
      }),
    );

    it(
      'and an append of the same command at the same moment leave one receipt: where both were taken, the event counts',
      onFreshStore(open, async (store, second) => {
        const other = await second();
        for (let round = 0; round < 60; round += 1) {
          const append = exampleAppend();
          const answer = exampleAnswer({ stream: newOrderStream(), commandId: append.commandId });
          const [byEvent, byAnswer] = await Promise.all([store.append(append), other.recordAnswer(answer, 'none')]);
          // Two processes that give one key two different payloads in the same millisecond may both be taken; then what
          // lasts is the effect, for whoever asks with the key later.
          expect(['appended known', 'known recorded', 'appended recorded']).toContain(
            `${byEvent.outcome} ${byAnswer.outcome}`,
          );
          const lasts = byEvent.outcome === 'appended' ? append.stream : answer.stream;
          for (const handle of [store, other]) {
            expect(await handle.findCommand(shop, append.commandId)).toMatchObject({ stream: lasts });
          }
          expect(await store.readStream({ stream: append.stream })).toHaveLength(
            byEvent.outcome === 'appended' ? 1 : 0,
          );
        }
      }),
    );

    it(
      'that two processes give at once is kept once',
      onFreshStore(open, async (store, second) => {
        const other = await second();
        const commandId = newCommandId();
        const answers = Array.from({ length: 10 }, (_, index) => exampleAnswer({ commandId, version: index }));
        const results = await Promise.all(
          answers.map((answer, index) => (index % 2 === 0 ? store : other).recordAnswer(answer, 'none')),
        );
        const winner = results.findIndex(({ outcome }) => outcome === 'recorded');
        results.forEach((result, index) => {
          if (index === winner) expect(result).toEqual({ outcome: 'recorded' });
          else expect(result).toEqual({ outcome: 'known', receipt: answers[winner] });
        });
      }),
    );
  });
}

function pairOf(a: AppendResult | undefined, b: AppendResult): string {
  return [a?.outcome, b.outcome].toSorted().join(' ');
}
