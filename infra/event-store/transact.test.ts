import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accept, reject, type Decided, type Decision } from '../../schemas/decision.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import type { CommandId, OrderId, TenantId } from '../../schemas/ids.ts';
import { orderStream } from '../../schemas/ids.ts';
import type { Sealed } from '../../schemas/personal-data.ts';
import { openMemorySubjectKeys } from '../subject-keys/memory/memory-subject-keys.ts';
import { unseal } from '../subject-keys/seal.ts';
import type { Decider } from './decider.ts';
import { openMemoryEventStore } from './memory/memory-event-store.ts';
import type { EventStore } from './port.ts';
import { openTransactor, type TransactRequest, type Transactor } from './transact.ts';
import { worlds, type World } from './test-worlds.ts';

/** A door that opens once and shuts once: enough to reject, to repeat and to conflict. */
type Door = 'none' | 'open' | 'shut';
type Command = { readonly do: 'open' | 'shut' | 'ask'; readonly claim?: string; readonly email?: string };

const orderId = '8c1d3a57-6a5e-5b67-9a5e-3b1f0c6c1f10' as OrderId;
const tenantId = 'default' as TenantId;
const stream = orderStream(orderId);

function placed({ claim, email }: Command): Decided<OrderEvent> {
  const event: OrderEvent = { type: 'DispatchBegun', data: { orderId } };
  const personal = email === undefined ? {} : { personal: { subject: 'default~ada', value: { email } } };
  return { event, ...personal, ...(claim === undefined ? {} : { claim }) };
}

const decider: Decider<Door, Command, OrderEvent> = {
  initial: 'none',
  evolve: (_, event) => (event.type === 'OrderCancelled' ? 'shut' : 'open'),
  decide: (command, state): Decision<OrderEvent> => {
    if (command.do === 'open')
      return state === 'none' ? accept(placed(command)) : reject('ORDER_ALREADY_EXISTS', state);
    if (state === 'none') return reject('ORDER_NOT_FOUND', state);
    if (command.do === 'ask') return state === 'open' ? reject('ORDER_NOT_PAID', state) : accept();
    return state === 'open' ? accept({ type: 'OrderCancelled', data: { orderId, reason: 'shut' } }) : accept();
  },
};

function request(
  commandId: string,
  command: Command,
  more: Partial<TransactRequest<Command>> = {},
): TransactRequest<Command> {
  const base = { tenantId, stream, commandId: commandId as CommandId, command, payload: command };
  return { ...base, correlationId: 'c', causationId: null, answers: 'durable', ...more };
}

describe.each(Object.entries(worlds))('transact on %s', (_name, openWorld) => {
  const open: World[] = [];
  const given = async (): Promise<World & { readonly door: Transactor<Door, Command> }> => {
    const world = await openWorld();
    open.push(world);
    return { ...world, door: openTransactor(world.store, { decider }) };
  };
  afterAll(() => Promise.all(open.map((world) => world.close())));

  it('appends what was decided, and tells the version and the state after it', async () => {
    const { door } = await given();
    expect(await door.transact(request('a', { do: 'open' }, { startsStream: true }))).toMatchObject({
      outcome: 'accepted',
      version: 1,
      state: 'open',
      replayed: false,
    });
    expect(await door.transact(request('b', { do: 'shut' }))).toMatchObject({
      outcome: 'accepted',
      version: 2,
      state: 'shut',
      replayed: false,
    });
  });

  it('answers a repeated command as the first time, also in another process and after the state moved on', async () => {
    const { door, second } = await given();
    await door.transact(request('a', { do: 'open' }, { startsStream: true }));
    await door.transact(request('b', { do: 'shut' }));
    const other = openTransactor(await second(), { decider });
    for (const again of [door, other]) {
      const answer = await again.transact(request('a', { do: 'open' }, { startsStream: true }));
      expect(answer).toMatchObject({ outcome: 'accepted', version: 1, events: [], replayed: true });
    }
  });

  it('refuses a key that was used with another payload, on any stream of the tenant', async () => {
    const { door } = await given();
    await door.transact(request('a', { do: 'open' }));
    expect(await door.transact(request('a', { do: 'shut' }))).toEqual({ outcome: 'key-reused' });
    const elsewhere = { stream: orderStream('8c1d3a57-6a5e-5b67-9a5e-3b1f0c6c1f11' as OrderId) };
    expect(await door.transact(request('a', { do: 'shut' }, elsewhere))).toEqual({ outcome: 'key-reused' });
  });

  it('gives twins in flight one effect and one answer', async () => {
    const { door, store } = await given();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => door.transact(request('a', { do: 'open' }, { startsStream: true }))),
    );
    expect(answers.map((answer) => answer.outcome === 'accepted' && answer.replayed)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    expect(await store.readStream({ stream })).toHaveLength(1);
  });

  it('keeps a business rejection for ever: the same command is refused after the reason is gone', async () => {
    const { door, second } = await given();
    await door.transact(request('a', { do: 'open' }));
    const refused = { outcome: 'rejected', rejection: { code: 'ORDER_NOT_PAID' } };
    expect(await door.transact(request('b', { do: 'ask' }))).toMatchObject({ ...refused, replayed: false });
    await door.transact(request('c', { do: 'shut' }));
    const other = openTransactor(await second(), { decider });
    expect(await other.transact(request('b', { do: 'ask' }))).toMatchObject({ ...refused, replayed: true });
  });

  it('does not keep ORDER_NOT_FOUND', async () => {
    const { door } = await given();
    expect(await door.transact(request('b', { do: 'shut' }))).toMatchObject({
      outcome: 'rejected',
      rejection: { code: 'ORDER_NOT_FOUND' },
    });
    await door.transact(request('a', { do: 'open' }));
    expect(await door.transact(request('b', { do: 'shut' }))).toMatchObject({
      outcome: 'accepted',
      version: 2,
      replayed: false,
    });
  });

  it('never makes a rejection durable that a stale cache decided', async () => {
    const { door, second } = await given();
    const elsewhere = openTransactor(await second(), { decider });
    await door.transact(request('a', { do: 'open' }));
    expect(await elsewhere.load(tenantId, stream)).toEqual({ state: 'open', version: 1 });
    await door.transact(request('b', { do: 'shut' }));
    // `elsewhere` still believes that the door is open, and would refuse.
    expect(await elsewhere.transact(request('c', { do: 'ask' }))).toMatchObject({
      outcome: 'accepted',
      version: 2,
      state: 'shut',
    });
    expect(await door.transact(request('c', { do: 'ask' }))).toMatchObject({
      outcome: 'accepted',
      version: 2,
      replayed: true,
    });
  });

  it('gives no recomputed answer on a stale cache either', async () => {
    const { door, second } = await given();
    const elsewhere = openTransactor(await second(), { decider });
    await door.transact(request('a', { do: 'open' }));
    await elsewhere.load(tenantId, stream);
    await door.transact(request('b', { do: 'shut' }));
    const answer = await elsewhere.transact(request('c', { do: 'ask' }, { answers: 'recomputed' }));
    expect(answer).toMatchObject({ outcome: 'accepted', version: 2 });
  });

  it('decides again when another process was faster', async () => {
    const { door, second } = await given();
    const elsewhere = openTransactor(await second(), { decider });
    await door.transact(request('a', { do: 'open' }));
    await elsewhere.load(tenantId, stream);
    const [first, other] = await Promise.all([
      door.transact(request('b', { do: 'shut' })),
      elsewhere.transact(request('c', { do: 'shut' })),
    ]);
    expect([first, other]).toMatchObject([
      { outcome: 'accepted', version: 2 },
      { outcome: 'accepted', version: 2 },
    ]);
    expect(
      first.outcome === 'accepted' && other.outcome === 'accepted' && first.events.length + other.events.length,
    ).toBe(1);
  });

  it('decides only at the version that If-Match names, and gives a replay before it looks', async () => {
    const { door } = await given();
    await door.transact(request('a', { do: 'open' }));
    expect(await door.transact(request('b', { do: 'shut' }, { expectedVersion: 7 }))).toEqual({
      outcome: 'version-mismatch',
      version: 1,
    });
    expect(await door.transact(request('b', { do: 'shut' }, { expectedVersion: 1 }))).toMatchObject({
      outcome: 'accepted',
      version: 2,
      replayed: false,
    });
    expect(await door.transact(request('b', { do: 'shut' }, { expectedVersion: 1 }))).toMatchObject({
      outcome: 'accepted',
      version: 2,
      replayed: true,
    });
  });

  it("does not show one tenant another tenant's stream", async () => {
    const { door } = await given();
    await door.transact(request('a', { do: 'open' }));
    const foreign = { tenantId: 'other' as TenantId };
    expect(await door.transact(request('b', { do: 'shut' }, foreign))).toMatchObject({
      outcome: 'rejected',
      rejection: { code: 'ORDER_NOT_FOUND' },
    });
    expect(await door.transact(request('c', { do: 'shut' }, { ...foreign, expectedVersion: 1 }))).toMatchObject({
      outcome: 'rejected',
    });
    expect(await door.load('other' as TenantId, stream)).toEqual({ state: 'none', version: 0 });
  });

  it('lets one claim be taken once, and keeps the refusal', async () => {
    const { door } = await given();
    const other = { stream: orderStream('8c1d3a57-6a5e-5b67-9a5e-3b1f0c6c1f11' as OrderId), startsStream: true };
    await door.transact(request('a', { do: 'open', claim: 'reference:1' }, { startsStream: true }));
    const refused = { outcome: 'rejected', rejection: { code: 'REFERENCE_TAKEN' } };
    expect(await door.transact(request('b', { do: 'open', claim: 'reference:1' }, other))).toMatchObject({
      ...refused,
      replayed: false,
    });
    expect(await door.transact(request('b', { do: 'open', claim: 'reference:1' }, other))).toMatchObject({
      ...refused,
      replayed: true,
    });
  });

  it('runs many commands of one stream one after another, each on what the one before stored', async () => {
    const { door, store } = await given();
    await door.transact(request('a', { do: 'open' }));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => door.transact(request(`c${index}`, { do: 'shut' }))),
    );
    expect(answers.every((answer) => answer.outcome === 'accepted')).toBe(true);
    expect(await store.readStream({ stream })).toHaveLength(2);
  });

  it('seals personal data under the event id, and loses it alone with the key', async () => {
    const { store } = await given();
    const subjectKeys = openMemorySubjectKeys();
    const door = openTransactor(store, { decider, subjectKeys });
    await door.transact(request('a', { do: 'open', email: 'ada@example.org' }));
    const before = await store.readStream({ stream });
    const [event] = before;
    const sealed = (event?.data as unknown as { readonly sealed: Sealed }).sealed;
    expect(JSON.stringify(event)).not.toContain('ada@example.org');
    const key = (await subjectKeys.find([sealed.keyId])).get(sealed.keyId);
    expect(event && unseal(key, event.eventId, sealed)).toEqual({ email: 'ada@example.org' });

    await subjectKeys.forget('default~ada');

    const gone = (await subjectKeys.find([sealed.keyId])).get(sealed.keyId);
    expect(event && unseal(gone, event.eventId, sealed)).toBeNull();
    expect(await store.readStream({ stream })).toEqual(before);
    expect(await openTransactor(store, { decider }).load(tenantId, stream)).toEqual({ state: 'open', version: 1 });
  });
});

describe('transact in one process', () => {
  beforeAll(() => vi.useFakeTimers());
  afterAll(() => vi.useRealTimers());

  it('tells a twin after two seconds that the first is still running', async () => {
    const store = openMemoryEventStore();
    const never: EventStore = { ...store, append: () => new Promise(() => undefined) };
    const door = openTransactor(never, { decider });
    void door.transact(request('a', { do: 'open' }, { startsStream: true }));
    const twin = door.transact(request('a', { do: 'open' }, { startsStream: true }));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await twin).toEqual({ outcome: 'in-progress' });
  });

  it('refuses the command that exceeds its queue, and stores nothing of it', async () => {
    const store = openMemoryEventStore();
    const never: EventStore = { ...store, append: () => new Promise(() => undefined) };
    const door = openTransactor(never, { decider, waitingMax: 1 });
    void door.transact(request('a', { do: 'open' }, { startsStream: true }));
    await expect(door.transact(request('b', { do: 'open' }, { startsStream: true }))).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
  });
});
