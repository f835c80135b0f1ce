import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { describeWithKafka } from '../../../test/kafka.ts';
import { memoryRegistry } from '../../../infra/schema-registry/memory/memory-registry.ts';
import { openRecordSchemas } from '../../../infra/schema-registry/record-schemas.ts';
import { allCommandWriters } from '../../../schemas/message-writers.ts';
import { openHttpServer } from '../../../infra/http-server/open.ts';
import { apiDescription } from '../../../schemas/api-description.ts';
import { openSummaryAt } from '../../order-queries/summary-at.ts';
import { orderCommandRoutes } from '../http/routes.ts';
import {
  answered,
  commandRecord,
  openShop,
  order,
  orderOf,
  placement,
  tenantId,
  untilTrue,
  type TestShop,
} from './test-door.ts';
import type { CommandId } from '../../../schemas/ids.ts';

let stack: AsyncDisposableStack;
let shop: TestShop;

describeWithKafka('commands from Kafka', () => {
  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    shop = await openShop(stack);
  });
  afterEach(() => stack.disposeAsync());

  const call = (commandId: string) => ({ tenantId, commandId: commandId as CommandId, correlationId: 'test' });

  it('are decided as over HTTP, and each has its outcome', async () => {
    await shop.openDoor();
    await shop.send(
      placement('p1'),
      commandRecord('a1', { type: 'AmendOrder', payload: { shippingFee: 100 } }, 'p1'),
      commandRecord('c1', { type: 'CancelOrder', payload: { reason: 'changed my mind' } }, 'p1'),
      commandRecord('c2', { type: 'CancelOrder', payload: { reason: 'again' } }, 'p1'),
      placement('p2', { ...order, payments: [{ method: 'card', amount: 1 }] }),
      placement('p3', { ...order, currency: 'XXQ' }),
    );
    const orderId = orderOf('p1');
    expect(await shop.outcomeOf('p1')).toMatchObject({ outcome: 'accepted', orderId, version: 1 });
    expect(await shop.outcomeOf('a1')).toMatchObject({ outcome: 'accepted', orderId, version: 2 });
    expect(await shop.outcomeOf('c1')).toMatchObject({ outcome: 'accepted', orderId, version: 3 });
    expect(await shop.outcomeOf('c2')).toMatchObject({ outcome: 'accepted', orderId, version: 3 });
    expect(await shop.outcomeOf('p2')).toMatchObject({ outcome: 'rejected', code: 'TOTAL_MISMATCH', version: 0 });
    expect(await shop.outcomeOf('p3')).toMatchObject({ outcome: 'rejected', code: 'INVALID_VALUE', version: 0 });
    expect(await shop.eventsOf(orderId)).toEqual(['OrderPlaced', 'OrderAmended', 'OrderCancelled']);
    await untilTrue(async () => (await shop.committed()) === 6, 'the offset passes all');
    expect(shop.deadLetters()).toEqual([]);
    const text = await shop.metrics.text();
    expect(text).toContain('command_outcomes_total{code="accepted"} 4');
    expect(text).toContain('command_outcomes_total{code="TOTAL_MISMATCH"} 1');
  });

  it('bring a historical order in, with the token of a card kept out of its event', async () => {
    await shop.openDoor();
    const facts = [{ kind: 'paid', occurredAt: null, payment: 0 }] as const;
    await shop.send(
      commandRecord('b1', { type: 'BackfillOrder', payload: { ...order, facts } }),
      placement('t1', { ...order, payments: [{ method: 'card', token: 'tok_secret' }] }),
    );
    expect(await shop.outcomeOf('b1')).toMatchObject({ outcome: 'accepted', version: 3 });
    expect(await shop.outcomeOf('t1')).toMatchObject({ outcome: 'accepted', version: 1 });
    expect(await shop.eventsOf(orderOf('b1'))).toEqual(['OrderPlaced', 'PaymentAuthorized', 'PaymentCaptured']);
  });

  it('have one effect and one content of their outcome, three times by HTTP and three times by Kafka', async () => {
    await shop.openDoor();
    const server = await openHttpServer({
      ...{ host: '127.0.0.1', port: 0, log: pino({ level: 'silent' }), metrics: shop.metrics, api: apiDescription },
      routes: [orderCommandRoutes({ commands: shop.commands, summaryAt: openSummaryAt(shop.store) })],
      ...{ readiness: [], drainGraceMs: 0 },
    });
    stack.defer(() => server.close());
    const payload = { ...order, metadata: { b: '1', a: '2' }, payments: [{ method: 'card', token: 'tok_visa' }] };
    const viaHttp = () =>
      server.app.inject({ method: 'POST', url: '/v1/orders', headers: { 'idempotency-key': 'both' }, payload });
    const [answers] = await Promise.all([
      Promise.all([viaHttp(), viaHttp(), viaHttp()]),
      shop.send(placement('both', payload), placement('both', payload)),
      shop.send(placement('both', payload)),
    ]);
    const outcomes = await shop.outcomesOf('both', 3);
    expect(new Set(outcomes.map(({ bytes }) => bytes)).size).toBe(1);
    expect(outcomes[0]).toMatchObject({ outcome: 'accepted', version: 1 });
    expect(answers.map(({ statusCode, headers: { etag } }) => [statusCode, etag])).toEqual(Array(3).fill([201, '"1"']));
    expect(await shop.eventsOf(orderOf('both'))).toEqual(['OrderPlaced']);
  });

  it('are told the same again, whatever became of the order since', async () => {
    const first = await shop.openDoor();
    const unknownLine = { lines: [{ lineId: '9', sku: 'mug', quantity: 1, unitPrice: 500 }] };
    await shop.send(
      placement('p1'),
      placement('p2', { ...order, payments: [{ method: 'card', amount: 1 }] }),
      commandRecord('a1', { type: 'AmendOrder', payload: unknownLine }, 'p1'),
      commandRecord('p1', { type: 'CancelOrder', payload: { reason: 'a reused id' } }, 'p1'),
      commandRecord('c1', { type: 'CancelOrder', payload: { reason: 'late' } }, 'p1'),
      commandRecord('a2', { type: 'AmendOrder', payload: { shippingFee: 1 } }, 'p1'),
    );
    const contents = (): ReadonlySet<string> => new Set(shop.outcomes().map(({ bytes }) => bytes));
    // One of them tells that an id was used before, for another payload.
    await untilTrue(() => contents().size === 6, 'all outcomes');
    await first.leave();
    const before = shop.outcomes().length;
    // Another group has seen nothing: every record comes again.
    await shop.openDoor({ names: { ...shop.names, group: `${shop.names.group}-again` } });
    await shop.outcomesOf('a2', 2);
    await untilTrue(() => shop.outcomes().length >= before + 6, 'all outcomes again');
    expect(contents().size).toBe(6);
    expect(await shop.outcomeOf('a1')).toMatchObject({ code: 'INVALID_VALUE', version: 1 });
    expect(await shop.eventsOf(orderOf('p1'))).toEqual(['OrderPlaced', 'OrderCancelled']);
  });

  describe('for an order that is not known', () => {
    it('wait for it a while, hold nobody back, and no offset passes them', async () => {
      await shop.openDoor();
      const cancel = commandRecord('c1', { type: 'CancelOrder', payload: { reason: 'x' } }, 'by-http');
      await shop.send(cancel, placement('good'));
      const sentAtMs = performance.now();
      const good = await shop.outcomeOf('good');
      expect(good.readAtMs - sentAtMs).toBeLessThan(2_000);
      await shop.commands.place(call('by-http'), order);
      expect(await shop.outcomeOf('c1')).toMatchObject({ outcome: 'accepted', version: 2 });
      await untilTrue(async () => (await shop.committed()) === 2, 'the offset passes both');
    });

    it('are told so in the end, and nothing of it lasts', async () => {
      await shop.openDoor({ limits: { orderWaitMs: 500 } });
      const cancel = commandRecord('c1', { type: 'CancelOrder', payload: { reason: 'x' } }, 'later');
      await shop.send(cancel);
      expect(await shop.outcomeOf('c1')).toMatchObject({ code: 'ORDER_NOT_FOUND', version: 0 });
      await shop.commands.place(call('later'), order);
      await shop.send(cancel);
      const isAccepted = () => shop.outcomes().some(({ commandId, version }) => commandId === 'c1' && version === 2);
      await untilTrue(isAccepted, 'it is accepted now');
    });

    it('do not fill the door: a good command behind a thousand of them is answered within 2 s', async () => {
      await shop.openDoor({ limits: { orderWaitMs: 60_000, pendingMax: 50 } });
      const unknown = Array.from({ length: 1_000 }, (_, n) =>
        // Every second one for the same order, so that a queue of one order is among them.
        commandRecord(`c${n}`, { type: 'CancelOrder', payload: { reason: 'x' } }, n % 2 === 0 ? 'one' : `none-${n}`),
      );
      await shop.send(...unknown);
      await shop.outcomeOf('c0');
      const sentAtMs = performance.now();
      await shop.send(placement('good'));
      const good = await shop.outcomeOf('good');
      expect(good.readAtMs - sentAtMs).toBeLessThan(2_000);
    });
  });

  it('wait where the store is down, and are answered when it is back', async () => {
    await shop.openDoor();
    await shop.send(placement('before'));
    await shop.outcomeOf('before');
    shop.setStoreDown(true);
    await shop.send(placement('during'), { ...placement('bad'), value: Buffer.from('nonsense') });
    // What needs no store goes on.
    await untilTrue(() => shop.deadLetters().length === 1, 'the dead letter');
    expect(await shop.metrics.text()).toMatch(/retries_total\{dependency="order-commands"\} [1-9]/);
    expect(answered(shop)).toEqual(['before']);
    shop.setStoreDown(false);
    expect(await shop.outcomeOf('during')).toMatchObject({ outcome: 'accepted', version: 1 });
    await untilTrue(async () => (await shop.committed()) === 3, 'the offset passes all');
    expect(shop.deadLetters()).toHaveLength(1);
  });

  it('wait where the registry is down, and are no dead letters', async () => {
    const registry = memoryRegistry();
    const schemas = openRecordSchemas(registry);
    const [writer] = allCommandWriters.filter(({ row }) => row.type === 'PlaceOrder');
    const id = await registry.register('ordercenter.commands.PlaceOrder', writer?.row.schema ?? {});
    registry.setDown(true);
    await shop.openDoor({ schemas });
    const framed = (schemaId: number, commandId: string) => {
      const record = placement(commandId);
      const head = Buffer.from([0, 0, 0, 0, schemaId]);
      return { ...record, value: Buffer.concat([head, record.value?.subarray(10) ?? Buffer.alloc(0)]) };
    };
    await shop.send(framed(id, 'registered'), framed(200, 'unknown'), placement('good'));
    await untilTrue(
      async () => (await shop.eventsOf(orderOf('good'))).length === 1,
      'what needs no registry is decided',
    );
    expect(shop.deadLetters()).toEqual([]);
    expect(shop.outcomes()).toEqual([]);
    registry.setDown(false);
    expect(await shop.outcomeOf('good')).toMatchObject({ outcome: 'accepted', version: 1 });
    expect(await shop.outcomeOf('registered')).toMatchObject({ outcome: 'accepted', version: 1 });
    await untilTrue(() => shop.deadLetters().length === 1, 'the registry knows no such schema');
    expect(shop.deadLetters()[0]?.headers?.['dead-letter-reason']?.toString()).toBe('SCHEMA_UNKNOWN');
  });

  it('are each answered, once decided, while instances come and go', async () => {
    const first = await shop.openDoor();
    const ids = Array.from({ length: 300 }, (_, n) => `p${n}`);
    await shop.send(...ids.slice(0, 100).map((id) => placement(id)));
    await shop.openDoor();
    await shop.send(...ids.slice(100, 200).map((id) => placement(id)));
    await shop.outcomeOf('p150');
    await first.leave();
    await shop.send(...ids.slice(200).map((id) => placement(id)));
    await untilTrue(() => answered(shop).length === 300, 'all outcomes');
    expect(new Set(shop.outcomes().map(({ bytes }) => bytes)).size).toBe(300);
    for (const id of ids) expect(await shop.eventsOf(orderOf(id))).toEqual(['OrderPlaced']);
    await untilTrue(async () => (await shop.committed()) === 300, 'the offset passes all');
  });
});
