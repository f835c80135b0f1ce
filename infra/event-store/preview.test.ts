import { afterAll, describe, expect, it } from 'vitest';
import { accept, reject, type Decision } from '../../schemas/decision.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import type { CommandId, OrderId, TenantId } from '../../schemas/ids.ts';
import { orderStream } from '../../schemas/ids.ts';
import { openMemorySubjectKeys } from '../subject-keys/memory/memory-subject-keys.ts';
import type { Decider } from './decider.ts';
import { openTransactor, type TransactRequest, type Transactor } from './transact.ts';
import { worlds, type World } from './test-worlds.ts';

/** Counts up to three; a fourth is refused, `ask` changes nothing. */
type Command = { readonly do: 'count' | 'ask'; readonly claim?: string; readonly email?: string };

const orderId = '8c1d3a57-6a5e-5b67-9a5e-3b1f0c6c1f10' as OrderId;
const otherStream = orderStream('8c1d3a57-6a5e-5b67-9a5e-3b1f0c6c1f11' as OrderId);
const tenantId = 'default' as TenantId;
const stream = orderStream(orderId);

const decider: Decider<number, Command, OrderEvent> = {
  initial: 0,
  evolve: (count) => count + 1,
  decide: ({ do: what, claim, email }, count): Decision<OrderEvent> => {
    if (what === 'ask') return count === 0 ? reject('ORDER_NOT_FOUND', 'none') : accept();
    if (count >= 3) return reject('ORDER_ALREADY_EXISTS', `${count} of 3`);
    const personal = email === undefined ? {} : { personal: { subject: 'default~ada', value: { email } } };
    const event: OrderEvent = { type: 'DispatchBegun', data: { orderId } };
    return accept({ event, ...personal, ...(claim === undefined ? {} : { claim }) });
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

describe.each(Object.entries(worlds))('a preview on %s', (_name, openWorld) => {
  const open: World[] = [];
  afterAll(() => Promise.all(open.map((world) => world.close())));
  const given = async (): Promise<World & { readonly door: Transactor<number, Command> }> => {
    const world = await openWorld();
    open.push(world);
    return { ...world, door: openTransactor(world.store, { decider }) };
  };

  it('tells version, state and events of an acceptance, and the key stays free', async () => {
    const { door, store } = await given();
    await door.transact(request('a', { do: 'count' }, { startsStream: true }));
    for (let again = 0; again < 2; again += 1) {
      const answer = await door.preview(request('b', { do: 'count', claim: 'reference:1' }));
      expect(answer).toMatchObject({ outcome: 'accepted', version: 2, state: 2, replayed: false });
      expect(answer.outcome === 'accepted' && answer.events).toMatchObject([
        { type: 'DispatchBegun', revision: 1, stream, position: '', commandId: 'b', data: { orderId } },
      ]);
    }
    expect(await store.readStream({ stream })).toHaveLength(1);
    expect(await store.findCommand(tenantId, 'b' as CommandId)).toBeNull();
    expect(await door.load(tenantId, stream)).toEqual({ state: 1, version: 1 });
    const real = await door.transact(request('b', { do: 'count', claim: 'reference:1' }));
    expect(real).toMatchObject({ outcome: 'accepted', version: 2, state: 2, replayed: false });
  });

  it('is decided on what other processes stored meanwhile, and leaves the next command nothing wrong to decide on', async () => {
    const { door, second } = await given();
    const elsewhere = openTransactor(await second(), { decider });
    await door.transact(request('a', { do: 'count' }));
    await elsewhere.load(tenantId, stream);
    await door.transact(request('b', { do: 'count' }));
    expect(await elsewhere.preview(request('c', { do: 'count' }))).toMatchObject({ version: 3, state: 3 });
    expect(await elsewhere.transact(request('d', { do: 'count' }))).toMatchObject({ version: 3, state: 3 });
  });

  it('answers a key that was used as its replay, whatever the command would get now', async () => {
    const { door, second } = await given();
    await door.transact(request('a', { do: 'count' }));
    await door.transact(request('no-op', { do: 'ask' }));
    for (const key of ['b', 'c']) await door.transact(request(key, { do: 'count' }));
    await door.transact(request('refused', { do: 'count' }));
    const elsewhere = openTransactor(await second(), { decider });
    for (const each of [door, elsewhere]) {
      expect(await each.preview(request('a', { do: 'count' }, { expectedVersion: 9 }))).toMatchObject({
        outcome: 'accepted',
        version: 1,
        replayed: true,
        events: [],
      });
      expect(await each.preview(request('no-op', { do: 'ask' }))).toMatchObject({ version: 1, replayed: true });
      const refused = { outcome: 'rejected', rejection: { code: 'ORDER_ALREADY_EXISTS' }, replayed: true };
      expect(await each.preview(request('refused', { do: 'count' }))).toMatchObject(refused);
      expect(await each.preview(request('a', { do: 'ask' }))).toEqual({ outcome: 'key-reused' });
    }
  });

  it('tells a refusal and a version that is not there, and keeps neither', async () => {
    const { door, store } = await given();
    for (const key of ['a', 'b', 'c']) await door.transact(request(key, { do: 'count' }));
    expect(await door.preview(request('d', { do: 'count' }))).toMatchObject({ outcome: 'rejected', replayed: false });
    expect(await door.preview(request('d', { do: 'ask' }))).toMatchObject({ outcome: 'accepted', events: [] });
    const mismatch = { outcome: 'version-mismatch', version: 3 };
    expect(await door.preview(request('d', { do: 'count' }, { expectedVersion: 1 }))).toEqual(mismatch);
    expect(await store.findCommand(tenantId, 'd' as CommandId)).toBeNull();
  });

  it('sees a claim that another stream of the tenant took, and takes none', async () => {
    const { door } = await given();
    const first = { startsStream: true };
    expect(await door.preview(request('a', { do: 'count', claim: 'reference:1' }, first))).toMatchObject({
      version: 1,
    });
    const other = { ...first, stream: otherStream };
    await door.transact(request('b', { do: 'count', claim: 'reference:1' }, other));
    expect(await door.preview(request('a', { do: 'count', claim: 'reference:1' }, first))).toMatchObject({
      outcome: 'rejected',
      rejection: { code: 'REFERENCE_TAKEN' },
    });
  });

  it('makes no key and nothing that must be durable first, though it seals', async () => {
    const { store } = await given();
    const subjectKeys = openMemorySubjectKeys();
    const persisted: string[] = [];
    const door = openTransactor(store, {
      decider,
      subjectKeys: { ...subjectKeys, persist: (key) => (persisted.push(key.subject), subjectKeys.persist(key)) },
    });
    const durableFirst = (): Promise<void> => Promise.resolve(void persisted.push('tokens'));
    const command = { do: 'count', email: 'ada@example.org' } as const;
    const answer = await door.preview(request('a', command, { durableFirst, startsStream: true }));
    expect(persisted).toEqual([]);
    expect(JSON.stringify(answer)).not.toContain('ada@');
    await door.transact(request('a', command, { durableFirst, startsStream: true }));
    expect(persisted.toSorted()).toEqual(['default~ada', 'tokens']);
  });

  it('does not stand in for the command: one that is sent meanwhile is stored', async () => {
    const { door, store } = await given();
    const [previewed, real] = await Promise.all([
      door.preview(request('a', { do: 'count' }, { startsStream: true })),
      door.transact(request('a', { do: 'count' }, { startsStream: true })),
    ]);
    expect([previewed, real]).toMatchObject([{ version: 1 }, { version: 1, replayed: false }]);
    expect(await store.readStream({ stream })).toHaveLength(1);
  });
});
