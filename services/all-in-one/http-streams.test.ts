import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { OperationalFailure } from '../../infra/failures.ts';
import type { Problem } from '../../infra/http-server/problem.ts';
import { appendAll, anOrderId, otherTenant, paymentFact, placement } from '../../projections/examples.ts';
import { newEventId, orderStream, stockStream, type CommandId, type TenantId } from '../../schemas/ids.ts';
import { openDeafClient, openLiveClient, type LiveClient } from '../order-queries/live/test-client.ts';
import { openMemoryDoor } from './memory-door.ts';
import type { MemoryDoor, MemoryDoorOptions } from './memory-door.ts';

type Door = MemoryDoor & { readonly url: string };

const doors: Door[] = [];
const clients: LiveClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.leave();
  await Promise.all(doors.splice(0).map(({ server }) => server.close()));
});

async function open(options: MemoryDoorOptions = {}): Promise<Door> {
  const door = await openMemoryDoor(options);
  const listening = { ...door, url: await door.server.listen() };
  doors.push(listening);
  return listening;
}

async function follow(door: Door, path: string, headers: Readonly<Record<string, string>> = {}): Promise<LiveClient> {
  const client = await openLiveClient(`${door.url}${path}`, headers);
  clients.push(client);
  return client;
}

const tenant = 'default' as TenantId;
const orderId = anOrderId('order', tenant);
const path = `/v1/orders/${orderId}/stream`;
const place = placement(orderId);
const pay = paymentFact('PaymentCaptured', orderId);
const ids = ({ messages }: LiveClient): readonly string[] => messages.map(({ id }) => id);
const soon = { timeout: 10_000 };

describe('the stream of an order', () => {
  it('begins with its history and goes on live, each event exactly as the history shows it', async () => {
    const door = await open();
    await appendAll(door.store, [place], { tenantId: tenant });
    const client = await follow(door, path);
    expect([client.status, client.headers.get('content-type'), client.headers.get('cache-control')]).toEqual([
      200,
      'text/event-stream',
      'no-store',
    ]);
    await expect.poll(() => client.messages.length, soon).toBe(1);
    await appendAll(door.store, [pay], { tenantId: tenant });
    await expect.poll(() => client.messages.length, soon).toBe(2);
    const history = await door.server.app.inject(path.replace('/stream', '/events'));
    const { items } = history.json<{ items: { position: string; type: string }[] }>();
    expect(client.messages).toEqual(items.map((item) => ({ id: item.position, event: item.type, data: item })));
    expect(client.retryMs()).toBe(1_000);
  });

  it('goes on right after Last-Event-ID, or after `after` where that is absent', async () => {
    const door = await open();
    const [first, second, third] = await appendAll(door.store, [place, pay, pay], { tenantId: tenant });
    const byHeader = await follow(door, path, { 'last-event-id': first?.position ?? '' });
    const byQuery = await follow(door, `${path}?after=${second?.position ?? ''}`);
    const both = await follow(door, `${path}?after=${second?.position ?? ''}`, {
      'last-event-id': first?.position ?? '',
    });
    await expect
      .poll(() => [ids(byHeader), ids(byQuery), ids(both)], soon)
      .toEqual([[second?.position, third?.position], [third?.position], [second?.position, third?.position]]);
  });

  it('has nothing of other orders', async () => {
    const door = await open();
    const events = await appendAll(door.store, [place, placement(anOrderId('else', tenant)), pay], {
      tenantId: tenant,
    });
    const client = await follow(door, path);
    const [more] = await appendAll(door.store, [pay], { tenantId: tenant });
    await expect.poll(() => ids(client), soon).toEqual([events[0]?.position, events[2]?.position, more?.position]);
  });

  it.each([
    ['another tenant’s', { 'x-tenant-id': 'rival' }, path, 404, 'ORDER_NOT_FOUND'],
    ['unknown', {}, `/v1/orders/${anOrderId('unknown')}/stream`, 404, 'ORDER_NOT_FOUND'],
    ['no uuid', {}, '/v1/orders/1/stream', 400, 'INVALID_REQUEST'],
    ['resumed from nonsense', { 'last-event-id': 'nonsense' }, path, 400, 'INVALID_CURSOR'],
    ['resumed from another store', { 'last-event-id': '00000000.0.0' }, path, 400, 'INVALID_CURSOR'],
    ['asked for with an unknown wish', {}, `${path}?from=1`, 400, 'INVALID_REQUEST'],
  ] as const)('that is %s is refused by a status', async (...row) => {
    const [, headers, url, status, code] = row;
    const door = await open();
    await appendAll(door.store, [place], { tenantId: tenant });
    const answer = await door.server.app.inject({ url, headers });
    expect([answer.statusCode, answer.json<Problem>().code, door.live.clients()]).toEqual([status, code, 0]);
  });

  it('refuses a position beyond the log’s end', async () => {
    const door = await open();
    const [placed] = await appendAll(door.store, [place], { tenantId: tenant });
    const beyond = placed?.position.replace(/\d+$/, '999') ?? '';
    const answers = await Promise.all(
      [path, '/v1/stream'].map((url) => door.server.app.inject({ url, headers: { 'last-event-id': beyond } })),
    );
    expect(answers.map((answer) => answer.json<Problem>().code)).toEqual(['INVALID_CURSOR', 'INVALID_CURSOR']);
  });
});

describe('the stream of a tenant', () => {
  it('begins now, and has only that tenant’s events', async () => {
    const door = await open();
    await appendAll(door.store, [place], { tenantId: tenant });
    const client = await follow(door, '/v1/stream');
    await appendAll(door.store, [placement(anOrderId('x', otherTenant))], { tenantId: otherTenant });
    const [paid] = await appendAll(door.store, [pay], { tenantId: tenant });
    await expect.poll(() => ids(client), soon).toEqual([paid?.position]);
  });

  it('goes on after Last-Event-ID, and takes the filters of /v1/events', async () => {
    const door = await open();
    const [placed, paid] = await appendAll(door.store, [place, pay], { tenantId: tenant });
    await door.store.append({
      ...{ stream: stockStream(tenant, 'mug'), tenantId: tenant, expected: 'none', commandHash: 'h', origin: 'live' },
      ...{ commandId: 'receipt' as CommandId, correlationId: 'c', causationId: null },
      events: [{ eventId: newEventId(), type: 'StockReceived', schemaVersion: 1, occurredAt: undefined, data: { sku: 'mug', quantity: 1 } }], // prettier-ignore
    });
    const last = { 'last-event-id': placed?.position ?? '' };
    const types = async (query: string): Promise<LiveClient> => follow(door, `/v1/stream${query}`, last);
    const [all, stock, none] = [await types(''), await types('?category=stock'), await types('?types=OrderPlaced,PaymentVoided')]; // prettier-ignore
    const [late] = await appendAll(door.store, [paymentFact('PaymentVoided', orderId)], { tenantId: tenant });
    await expect
      .poll(() => [all, stock, none].map(({ messages }) => messages.map(({ event }) => event)), soon)
      .toEqual([['PaymentCaptured', 'StockReceived', 'PaymentVoided'], ['StockReceived'], ['PaymentVoided']]);
    expect([ids(all)[0], ids(none)[0]]).toEqual([paid?.position, late?.position]);
    const misspelt = await door.server.app.inject('/v1/stream?types=OrderPlacedd');
    expect([misspelt.statusCode, misspelt.json<Problem>().errors?.[0]?.pointer]).toEqual([400, '/types']);
  });

  it('sends signs of life while nothing happens', async () => {
    const client = await follow(await open({ liveLimits: { heartbeatMs: 20 } }), '/v1/stream');
    await expect.poll(() => client.comments(), soon).toBeGreaterThan(2);
    expect(client.messages).toEqual([]);
  });
});

describe('clients', () => {
  it('lose nothing and get nothing twice, however often they are cut while events come', async () => {
    const door = await open();
    const orders = Array.from({ length: 8 }, (_, index) => anOrderId(`o${index}`, tenant));
    const [begin] = await appendAll(door.store, [placement(anOrderId('first', tenant))], { tenantId: tenant });
    const appending = Promise.all(
      orders.map(async (id) => {
        await appendAll(door.store, [placement(id)], { tenantId: tenant });
        for (let turn = 0; turn < 25; turn += 1) {
          await appendAll(door.store, [paymentFact('PaymentCaptured', id)], { tenantId: tenant });
        }
      }),
    );
    const expected = orders.length * 26;
    const seen: string[] = [];
    for (let turn = 1; seen.length < expected; turn += 1) {
      const client = await follow(door, '/v1/stream', { 'last-event-id': seen.at(-1) ?? begin?.position ?? '' });
      const wanted = Math.min(expected - seen.length, (turn * 7) % 40 || 1);
      await expect.poll(() => client.messages.length, { ...soon, interval: 1 }).toBeGreaterThanOrEqual(wanted);
      client.leave();
      await client.ended;
      seen.push(...ids(client));
    }
    await appending;
    expect([seen.length, new Set(seen).size]).toEqual([expected, expected]);
    await expect.poll(() => door.live.clients(), soon).toBe(0);
  }, 60_000);

  it('that read nothing are cut off after a while, and hold nobody else up', async () => {
    const stalledMaxMs = 300;
    const door = await open({ liveLimits: { stalledMaxMs, queuedMaxBytes: 64 * 1024 } });
    const deaf = await Promise.all(Array.from({ length: 5 }, () => openDeafClient(`${door.url}/v1/stream`)));
    const reading = await follow(door, '/v1/stream');
    await expect.poll(() => door.live.clients(), soon).toBe(6);
    const big = placement(orderId, { metadata: { text: 'x'.repeat(200_000) } });
    await appendAll(door.store, [big], { tenantId: tenant });
    // More than the sockets of both sides take; a store in memory leaves no turn to them by itself.
    let sent = 0;
    for (; door.live.clients() > 1 && sent < 400; sent += 1) {
      await turn();
      await appendAll(door.store, [placement(anOrderId(`o${sent}`, tenant), { metadata: { text: 'x'.repeat(200_000) } })], { tenantId: tenant }); // prettier-ignore
    }
    await expect.poll(() => door.live.clients(), soon).toBe(1);
    await expect.poll(() => reading.messages.length, soon).toBe(sent + 1);
    for (const { socket } of deaf) socket.destroy();
  }, 60_000);

  it('that leave free their place, also before their first event', async () => {
    const door = await open();
    const leaving = new AbortController();
    const early = fetch(`${door.url}/v1/stream`, { signal: leaving.signal }).catch(() => 'left');
    leaving.abort();
    await early;
    const client = await follow(door, '/v1/stream');
    expect(door.live.clients()).toBeGreaterThan(0);
    client.leave();
    await expect.poll(() => door.live.clients(), soon).toBe(0);
    const again = await follow(door, '/v1/stream');
    const [placed] = await appendAll(door.store, [place], { tenantId: tenant });
    await expect.poll(() => ids(again), soon).toEqual([placed?.position]);
  });

  it('count in the metrics by the time to their first byte, not by how long they stay', async () => {
    const door = await open({ liveLimits: { heartbeatMs: 20 } });
    const askedAt = performance.now();
    const client = await follow(door, '/v1/stream');
    const answeredMs = performance.now() - askedAt;
    await expect.poll(() => performance.now() - askedAt > answeredMs + 100 && client.comments() > 0, soon).toBe(true);
    client.leave();
    const labels = 'http_request_method="GET",http_route="/v1/stream",http_response_status_code="200"';
    const read = async (what: string): Promise<number> => {
      const { body } = await door.server.app.inject('/metrics');
      const [, value] = body.split(`http_server_request_duration_seconds_${what}{${labels}} `);
      return Number(value?.split('\n')[0] ?? 0);
    };
    await expect.poll(() => read('count'), soon).toBe(1);
    expect((await read('sum')) * 1_000).toBeLessThanOrEqual(answeredMs);
  });

  it('beyond the limit are told to come back', async () => {
    const door = await open({ liveLimits: { clientsMax: 1 } });
    await follow(door, '/v1/stream');
    const answer = await fetch(`${door.url}/v1/stream`);
    expect([answer.status, ((await answer.json()) as Problem).code, answer.headers.get('retry-after')]).toEqual([
      503,
      'OVERLOADED',
      '1',
    ]);
  });

  it('are let go when the door drains: at once who reads, and soon after who does not', async () => {
    const door = await open({ liveLimits: { endGraceMs: 200, queuedMaxBytes: 64 * 1024 } });
    const reading = await follow(door, '/v1/stream');
    const deaf = await openDeafClient(`${door.url}/v1/stream`);
    await expect.poll(() => door.live.clients(), soon).toBe(2);
    for (let sent = 0; sent < 60; sent += 1) {
      await appendAll(door.store, [placement(anOrderId(`o${sent}`, tenant), { metadata: { text: 'x'.repeat(200_000) } })], { tenantId: tenant }); // prettier-ignore
    }
    await expect.poll(() => reading.messages.length, soon).toBe(60);
    const began = performance.now();
    await door.server.close();
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(await reading.ended).toBe(true);
    await expect.poll(() => door.live.clients(), soon).toBe(0);
    deaf.socket.destroy();
  }, 60_000);

  it('are ended where the store cannot be read again, and told so by a status when they come back', async () => {
    let fails = false;
    const down = new OperationalFailure('STORE_UNAVAILABLE', 'down', { retryable: true });
    const door = await open({
      // Each event overflows the inbox, so the client reads the store again.
      liveLimits: { queuedMaxBytes: 1 },
      wrapStore: (store) => ({
        ...store,
        readStream: (slice) => (fails ? Promise.reject(down) : store.readStream(slice)),
      }),
    });
    await appendAll(door.store, [place], { tenantId: tenant });
    const client = await follow(door, path);
    await expect.poll(() => client.messages.length, soon).toBe(1);
    const events = [{ eventId: newEventId(), schemaVersion: 1, occurredAt: undefined, ...pay }];
    fails = true;
    await door.store.append({
      ...{ stream: orderStream(orderId), tenantId: tenant, expected: 0, commandHash: 'h', origin: 'live', events },
      ...{ commandId: 'pay' as CommandId, correlationId: 'c', causationId: null },
    });
    expect([await client.ended, door.live.clients()]).toEqual([true, 0]);
    const answer = await fetch(`${door.url}${path}`, { headers: { 'last-event-id': ids(client)[0] ?? '' } });
    expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([503, 'STORE_UNAVAILABLE']);
  });
});
