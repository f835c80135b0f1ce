import { describe, expect, it } from 'vitest';

import { stockStream, type CommandId, type TenantId } from '../../../schemas/ids.ts';
import {
  appended,
  eventsOf,
  exampleAppend,
  exampleEvent,
  idsOf,
  newCommandId,
  newOrderStream,
  readUntil,
} from './examples.ts';
import { onFreshStore, type OpenStore } from './harness.ts';

export function appendScenarios(open: OpenStore): void {
  describe('append', () => {
    it(
      'starts a new stream at revision 0, and does not start it twice',
      onFreshStore(open, async (store) => {
        const stream = newOrderStream();
        expect(await store.append(exampleAppend({ stream }))).toMatchObject({ outcome: 'appended', revision: 0 });
        expect(await store.append(exampleAppend({ stream }))).toEqual({ outcome: 'stale' });
        expect(await store.readStream({ stream })).toHaveLength(1);
      }),
    );

    it(
      'appends at the head that was decided on, and answers any other revision as stale without writing',
      onFreshStore(open, async (store) => {
        const { stream, revision } = await twoEvents(store);
        expect(await store.append(exampleAppend({ stream, expected: revision }))).toMatchObject({ revision: 2 });
        expect(await store.append(exampleAppend({ stream, expected: 0 }))).toEqual({ outcome: 'stale' });
        expect(await store.append(exampleAppend({ stream, expected: 1 }))).toEqual({ outcome: 'stale' });
        expect(await store.readStream({ stream })).toHaveLength(3);
      }),
    );

    it(
      'answers an expected revision that is too new as stale, so that no gap comes into a stream',
      onFreshStore(open, async (store) => {
        const { stream } = await twoEvents(store);
        const missing = newOrderStream();
        expect(await store.append(exampleAppend({ stream, expected: 2 }))).toEqual({ outcome: 'stale' });
        expect(await store.append(exampleAppend({ stream, expected: 7, events: eventsOf(3) }))).toEqual({
          outcome: 'stale',
        });
        expect(await store.append(exampleAppend({ stream: missing, expected: 0 }))).toEqual({ outcome: 'stale' });
        expect(await store.readStream({ stream })).toHaveLength(2);
        expect(await store.readStream({ stream: missing })).toEqual([]);
      }),
    );

    it(
      'keeps every field of an event, and answers with the event as readers will find it',
      onFreshStore(open, async (store) => {
        const event = exampleEvent({
          schemaVersion: 1,
          data: { orderId: 'o', lines: [{ sku: 'A', quantity: 2 }], note: null },
        });
        const append = exampleAppend({ origin: 'backfill', causationId: exampleEvent().eventId, events: [event] });
        const { events, position } = await appended(store, append);
        const { stream, tenantId, origin, commandId, correlationId, causationId } = append;
        const { eventId, type, schemaVersion, data } = event;
        const envelope = {
          stream,
          tenantId,
          origin,
          commandId,
          correlationId,
          causationId,
          eventId,
          type,
          schemaVersion,
        };
        expect(events).toMatchObject([{ ...envelope, position, revision: 0, data }]);
        expect(await store.readStream({ stream })).toEqual(events);
        expect(await readUntil(store, 1)).toEqual(events);
      }),
    );

    it(
      'keeps when an event happened: as recorded, at its own time, or unknown',
      onFreshStore(open, async (store) => {
        const times = [undefined, '2017-10-02T10:56:33.250Z', '1969-07-20T20:17:40.000Z', null];
        const { events } = await appended(store, { events: times.map((occurredAt) => exampleEvent({ occurredAt })) });
        const [asRecorded, ...others] = events.map(({ occurredAt }) => occurredAt);
        expect(asRecorded).toBe(events[0]?.recordedAt);
        expect(asRecorded).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(others).toEqual(times.slice(1));
        expect(await store.readStream({ stream: events[0]?.stream ?? newOrderStream() })).toEqual(events);
      }),
    );

    it(
      'does not let a caller change what was appended',
      onFreshStore(open, async (store) => {
        const data = { orderId: 'o', tags: ['first'] };
        const append = exampleAppend({ events: [exampleEvent({ data })] });
        const answer = store.append(append);
        data.tags.push('later');
        await answer;
        data.tags.push('too late');
        expect(await store.readStream({ stream: append.stream })).toMatchObject([{ data: { tags: ['first'] } }]);
      }),
    );

    it(
      'numbers two streams apart',
      onFreshStore(open, async (store) => {
        const [one, other] = [await twoEvents(store), await twoEvents(store)];
        expect(await store.append(exampleAppend({ stream: one.stream, expected: 1 }))).toMatchObject({ revision: 2 });
        expect((await store.readStream({ stream: other.stream })).map(({ revision }) => revision)).toEqual([0, 1]);
      }),
    );

    it(
      'answers with the position after which the log goes on',
      onFreshStore(open, async (store) => {
        const first = await appended(store, { events: eventsOf(3) });
        const second = await appended(store);
        expect(store.comparePositions(first.position, second.position)).toBeLessThan(0);
        expect(idsOf(await readUntil(store, 1, { after: first.position }))).toEqual(idsOf(second.events));
      }),
    );

    it(
      'takes the longest names: streams, event types, command ids and claims',
      onFreshStore(open, async (store) => {
        const tenantId = 't'.repeat(64) as TenantId;
        const append = exampleAppend({
          stream: stockStream(tenantId, '~'.repeat(128)),
          tenantId,
          commandId: '!'.repeat(255) as CommandId,
          claim: 'r'.repeat(255),
          events: [exampleEvent({ type: 'OrderWas'.repeat(16) })],
        });
        const { events } = await appended(store, append);
        expect(await store.readStream({ stream: append.stream })).toEqual(events);
        expect(await store.findCommand(tenantId, append.commandId)).toMatchObject({ version: 1 });
      }),
    );

    it(
      'takes 500 appends of one tick over many streams, each once and in the order of its stream',
      onFreshStore(open, async (store) => {
        const appends = Array.from({ length: 500 }, (_, index) => exampleAppend({ events: eventsOf(1 + (index % 3)) }));
        const results = await Promise.all(appends.map((append) => store.append(append)));
        expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['appended']));
        const wanted = appends.flatMap(({ events }) => idsOf(events));
        expect(idsOf(await readUntil(store, wanted.length)).toSorted()).toEqual(wanted.toSorted());
      }),
    );

    it(
      'lets exactly one of many appends at the same revision win, from one process or two',
      onFreshStore(open, async (store, second) => {
        const { stream } = await twoEvents(store);
        const other = await second();
        const rivals = Array.from({ length: 40 }, (_, index) =>
          (index % 2 === 0 ? store : other).append(exampleAppend({ stream, expected: 1, events: eventsOf(2) })),
        );
        const outcomes = (await Promise.all(rivals)).map(({ outcome }) => outcome);
        expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome === 'stale')).toHaveLength(39);
        expect((await store.readStream({ stream })).map(({ revision }) => revision)).toEqual([0, 1, 2, 3]);
      }),
    );
  });
}

export function refusalScenarios(open: OpenStore): void {
  describe('append refuses', () => {
    it(
      'an event above 256 KiB, and stores nothing of its command',
      onFreshStore(open, async (store) => {
        const tooLarge = exampleEvent({ data: { orderId: 'o', reason: 'x'.repeat(256 * 1024) } });
        const append = exampleAppend({ events: [exampleEvent(), tooLarge] });
        await expect(store.append(append)).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE', retryable: false });
        expect(await store.readStream({ stream: append.stream })).toEqual([]);
        expect(await store.findCommand(append.tenantId, append.commandId)).toBeNull();
      }),
    );

    it(
      'nothing that fits: an event just below the limit comes back whole',
      onFreshStore(open, async (store) => {
        const reason = 'é'.repeat(128 * 1024 - 100);
        const { events } = await appended(store, { events: [exampleEvent({ data: { orderId: 'o', reason } })] });
        expect(await readUntil(store, 1)).toEqual(events);
      }),
    );

    it.each([
      ['NUL', 'a\u0000b'],
      ['an unpaired surrogate', 'a\ud800b'],
    ])('the one command with %s in a text, among good ones of the same tick', async (_name, reason) => {
      await onFreshStore(open, async (store) => {
        const good = Array.from({ length: 20 }, () => exampleAppend());
        const poison = exampleAppend({ events: [exampleEvent(), exampleEvent({ data: { orderId: 'o', reason } })] });
        const appends = [...good.slice(0, 9), poison, ...good.slice(9)];
        const results = await Promise.allSettled(appends.map((append) => store.append(append)));
        expect(results[9]).toMatchObject({ reason: { code: 'POISON_VALUE', retryable: false } });
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
        expect(await store.readStream({ stream: poison.stream })).toEqual([]);
        expect(idsOf(await readUntil(store, 20)).toSorted()).toEqual(
          good.flatMap(({ events }) => idsOf(events)).toSorted(),
        );
      })();
    });

    it(
      'a batch in part: of appends in one tick each is stored whole or not at all',
      onFreshStore(open, async (store) => {
        const { stream } = await twoEvents(store);
        const stale = exampleAppend({ stream, expected: 0, events: eventsOf(3) });
        const fresh = Array.from({ length: 10 }, () => exampleAppend({ events: eventsOf(3) }));
        const results = await Promise.all([stale, ...fresh].map((append) => store.append(append)));
        expect(results.map(({ outcome }) => outcome)).toEqual(['stale', ...fresh.map(() => 'appended')]);
        expect(await store.readStream({ stream })).toHaveLength(2);
        for (const append of fresh) {
          expect(idsOf(await store.readStream({ stream: append.stream }))).toEqual(idsOf(append.events));
        }
      }),
    );
  });
}

async function twoEvents(
  store: Parameters<typeof appended>[0],
): Promise<{ readonly stream: ReturnType<typeof newOrderStream>; readonly revision: number }> {
  const stream = newOrderStream();
  const { revision } = await appended(store, { stream, commandId: newCommandId(), events: eventsOf(2) });
  return { stream, revision };
}
