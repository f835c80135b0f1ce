import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHttpServer, type HttpServer } from '../../infra/http-server/open.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import { openMetrics } from '../../infra/metrics/open.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import { anOrderId, appendAll, placement, tenant } from '../../projections/examples.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { apiDescription } from '../../schemas/api-description.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { OrderId } from '../../schemas/ids.ts';
import { parkingRoutes } from '../projector/http/parking-routes.ts';
import { openParkingDesk } from '../projector/parking.ts';
import { runProjector } from '../projector/projector.ts';
import { deliver, feedOf } from '../projector/test-poison.ts';
import { run } from './program.ts';

/** A door with the routes of parking over stores in memory, where two orders of three are parked. */
async function openDoor() {
  const store = openMemoryEventStore();
  const readStore = openMemoryReadStore();
  let broken = new Set<string>();
  const projection: typeof orderSummary = {
    ...orderSummary,
    changes: (event) => {
      if (broken.has(event.stream)) throw new TypeError('jane@example.org');
      return orderSummary.changes(event);
    },
  };
  await readStore.prepare([projection.view]);
  const snapshots = { remove: () => Promise.resolve() };
  const desk = openParkingDesk({ store, readStore, snapshots, projections: [projection] });
  const server = await openHttpServer({
    ...{ host: '127.0.0.1', port: 0, log: pino({ level: 'silent' }), metrics: openMetrics(), api: apiDescription },
    ...{ routes: [parkingRoutes(desk)], readiness: [], drainGraceMs: 0 },
  });
  const url = await server.listen();
  const events = await appendAll(
    store,
    [one, two, fine].map((id) => placement(id)),
  );
  broken = new Set(events.slice(0, 2).map(({ stream }) => stream));
  const signal = new AbortController().signal;
  await runProjector({ feed: feedOf([deliver('1', ...events)]), store, readStore, projection, signal });
  const fix = (id: OrderId): void => void broken.delete(`order-${id}`);
  const versionOf = async (id: OrderId) => (await readStore.find(projection.view, [{ tenantId: tenant, key: id }]))[0]?.version ?? null; // prettier-ignore
  return { server, url, events, fix, versionOf };
}

const [one, two, fine] = [anOrderId('one'), anOrderId('two'), anOrderId('fine')];

let door: Awaited<ReturnType<typeof openDoor>> & {
  readonly server: HttpServer;
  readonly events: readonly RecordedEvent[];
};
beforeEach(async () => {
  door = await openDoor();
});
afterEach(() => door.server.close());

async function cli(...args: readonly string[]) {
  const [printed, noted]: [string[], string[]] = [[], []];
  const terminal = {
    print: (text: string) => void printed.push(text),
    note: (text: string) => void noted.push(text),
    progress: () => undefined,
  };
  const given = args.includes('--help') ? args : [...args, '--url', door.url];
  const code = await run(['parking', ...given], { env: {}, terminal, signal: new AbortController().signal });
  return { code, stdout: printed.join('\n'), stderr: noted.join('\n') };
}

describe('order-center parking', () => {
  it('lists groups by error, and with a filter each stream; as JSON where asked; no word of a message', async () => {
    const listed = await cli('list');
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toMatch(/^projection +fingerprint +state +orders +events +since +error\n/);
    expect(listed.stdout).toMatch(/order-summary +[0-9a-f]{12} +parked +2 +2 .* TypeError at /);
    const json = JSON.parse((await cli('list', '--order', one, '--json')).stdout) as Record<string, unknown[]>;
    expect(json).toMatchObject({
      groups: [{ orders: 2 }],
      items: [{ orderId: one, state: 'parked', firstRevision: 0 }],
    });
    expect((await cli('list', '--projection', 'order-summary')).stdout).toContain(`order-${two}`);
    expect(JSON.stringify([listed, json])).not.toContain('jane');
  });

  it('shows what of an order waits, sealed fields closed, and fails where nothing does', async () => {
    const shown = await cli('show', one);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(/0 +OrderPlaced +[0-9a-f-]{36}/);
    const json = JSON.parse((await cli('show', one, '--json')).stdout) as { readonly items: readonly object[] }[];
    expect(json[0]?.items).toMatchObject([{ event: { type: 'OrderPlaced', data: { sealed: { keyId: 'key-1' } } } }]);
    const none = await cli('show', fine);
    expect(none).toEqual({ code: 1, stdout: '', stderr: `order-center: nothing of order ${fine} is parked` });
  });

  it('drains one canary first, then the rest; exit 1 while something cannot be folded', async () => {
    door.fix(one);
    expect(await cli('drain', '--order', one)).toMatchObject({ code: 0, stderr: '' });
    expect([await door.versionOf(one), await door.versionOf(two)]).toEqual([1, null]);
    const rest = await cli('drain');
    expect(rest.code).toBe(1);
    expect(rest.stdout).toMatch(/parked\n0 drained, 1 still parked$/);
    door.fix(two);
    const json = await cli('drain', '--projection', 'order-summary', '--json');
    expect(JSON.parse(json.stdout)).toEqual({
      items: [{ projection: 'order-summary', stream: `order-${two}`, orderId: two, outcome: 'drained' }],
    });
    expect(await door.versionOf(two)).toBe(1);
    expect((await cli('list')).stdout).toBe('nothing is parked');
  });

  it('discards only with --yes and a filter: else exit 2, and nothing is done', async () => {
    expect(await cli('discard', '--order', one)).toMatchObject({ code: 2, stdout: '' });
    expect(await cli('discard', '--yes')).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse((await cli('list', '--json')).stdout)).toMatchObject({
      groups: [{ state: 'parked', orders: 2 }],
    });
    expect(await cli('discard', '--order', one, '--yes')).toMatchObject({ code: 0, stdout: expect.stringMatching(/1 discarded$/) as string }); // prettier-ignore
    const { groups } = JSON.parse((await cli('list', '--json')).stdout) as { readonly groups: readonly object[] };
    expect(groups).toHaveLength(2);
    expect(groups).toContainEqual(expect.objectContaining({ state: 'discarded', orders: 1, events: 0 }));
    door.fix(one);
    expect((await cli('drain', '--order', one)).code).toBe(0);
    expect(await door.versionOf(one)).toBe(1);
  });

  it.each([
    [['list', '--order', 'x'], 'It must be an order’s id'],
    [['drain', '--fingerprint', 'x'], 'It must be 12 hexadecimal digits'],
    [['show'], "missing required argument 'order'"],
    [['fly'], "unknown command 'fly'"],
  ])('answers %j in one line with exit 2', async (args, message) => {
    const { code, stdout, stderr } = await cli(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^order-center: error: [^\n]*$/);
    expect(stderr).toContain(message);
  });

  it.each([[['list']], [['show']], [['drain']], [['discard']]])('has examples in the help of %j', async (args) => {
    const { code, stdout } = await cli(...args, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Examples:\n  $ npx order-center parking ${args.join(' ')}`);
  });

  it('names a projection that there is not, by the code of the answer', async () => {
    const { code, stderr } = await cli('list', '--projection', 'nonsense');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^order-center: 400 INVALID_REQUEST/);
  });
});

describe('/v1/admin/parking', () => {
  const call = async (path: string, body?: unknown, key: string | null = 'k') => {
    const headers = { 'content-type': 'application/json', ...(key === null ? {} : { 'idempotency-key': key }) };
    const post = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(new URL(`/v1/admin/parking${path}`, door.url), post);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('pages streams by a cursor', async () => {
    const first = await call('?limit=1');
    expect(first.body.items).toHaveLength(1);
    const second = await call(`?limit=1&cursor=${String(first.body.nextCursor)}`);
    expect(second.body).toMatchObject({ items: [{ projection: 'order-summary' }], nextCursor: null });
    expect(second.body.items).not.toEqual(first.body.items);
    const drained = await call('/drain', { limit: 1 });
    expect(drained.body).toMatchObject({ items: [{ outcome: 'parked' }], nextCursor: first.body.nextCursor });
  });

  it.each([
    ['?cursor=%20x', undefined, 'k', 400, 'INVALID_CURSOR'],
    ['?cursor=AAAA', undefined, 'k', 400, 'INVALID_CURSOR'],
    ['?limit=0', undefined, 'k', 400, 'INVALID_REQUEST'],
    ['?unknown=1', undefined, 'k', 400, 'INVALID_REQUEST'],
    ['/order-summary/order-none', undefined, 'k', 404, 'NOT_PARKED'],
    ['/nonsense/order-none', undefined, 'k', 400, 'INVALID_REQUEST'],
    ['/drain', {}, null, 400, 'IDEMPOTENCY_KEY_REQUIRED'],
    ['/drain', { unknown: 1 }, 'k', 400, 'INVALID_REQUEST'],
    ['/drain', { orderId: 'x' }, 'k', 422, 'INVALID_VALUE'],
    ['/discard', {}, 'k', 400, 'INVALID_REQUEST'],
    ['/discard', { limit: 9 }, 'k', 400, 'INVALID_REQUEST'],
  ])('answers %s with %j by code', async (...[path, body, key, status, code]) => {
    expect(await call(path, body, key)).toMatchObject({ status, body: { code } });
  });
});
