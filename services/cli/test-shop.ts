import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { findRunning } from '../../infra/local/data-dir.ts';
import { asRecord } from './api.ts';
import { run } from './program.ts';

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };
export type StoreShown = {
  readonly epoch: string;
  readonly events: number;
  readonly formerEpochs: readonly unknown[];
  readonly consumers: readonly { readonly consumer: string; readonly stands: string }[];
};

/** A deployment of its own for a test: the real system in a process that can be ended, and the command line beside it. */
export type TestShop = Awaited<ReturnType<typeof openTestShop>>;

const deadlineMs = 45_000;

export async function openTestShop(env: Readonly<Record<string, string>>) {
  const dataDir = await mkdtemp(join(tmpdir(), 'order-center-shop-'));
  const environment = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent', ...env };
  let child: ChildProcess | null = null;
  let url = '';
  const cli = (...args: readonly string[]): Promise<Ended> => runCli(args, environment);
  const store = async (): Promise<StoreShown> => JSON.parse((await cli('store', '--json')).stdout) as StoreShown;
  const stop = async (): Promise<void> => {
    if (child === null) return;
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    await ended;
    child = null;
  };
  return {
    ...{ dataDir, cli, store, stop },
    ...doorOf(() => url),
    start: async (): Promise<void> => {
      child = startSystem(environment);
      const { pid } = child;
      await until('the system to start', async () => {
        const running = await findRunning(dataDir);
        url = running?.urls.http ?? '';
        return running?.pid === pid;
      });
    },
    /** For a start that is refused. */
    startAndEnd: async (): Promise<Ended> => outcomeOf(startSystem(environment)),
    /** Until every consumer is at the head, and the head stays. */
    settles: () =>
      until('all consumers to be at the head', async () => {
        const [first, { consumers, events }] = [await store(), await store()];
        return (
          first.events === events && consumers.length > 0 && consumers.every(({ stands }) => stands === 'at the head')
        );
      }),
    close: async (): Promise<void> => {
      await stop();
      await rm(dataDir, { recursive: true, maxRetries: 5 });
    },
  };
}

/** What a test says to the HTTP door, and hears. */
function doorOf(url: () => string) {
  const get = (path: string, init: RequestInit = {}): Promise<Answer> => ask(new URL(path, url()), init);
  const post = async (path: string, body: unknown): Promise<Answer> => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    const answer = await get(path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  };
  const orderIdOf = ({ body }: Answer): string => String(body.orderId);
  const statusOf = async (orderId: string): Promise<unknown> => (await get(`/v1/orders/${orderId}`)).body.status;
  return {
    get: (path: string) => get(path),
    statusOf,
    place: async (method: string) => orderIdOf(await post('/v1/orders', { ...orderBody, payments: [{ method }] })),
    backfill: async () => orderIdOf(await post('/v1/orders/backfill', backfillBody)),
    cancel: (orderId: string) => post(`/v1/orders/${orderId}/cancel`, { reason: 'a test' }),
    reaches: (orderId: string, status: string) =>
      until(`order ${orderId} to be ${status}`, async () => (await statusOf(orderId)) === status),
    /** Where an analyst stands who has read everything. */
    checkpoint: async (): Promise<string> => {
      const lines = await (await fetch(new URL('/v1/events?limit=5000', url()))).text();
      return String(asRecord(JSON.parse(lines.trim().split('\n').at(-1) ?? '')).checkpoint);
    },
  };
}

const orderBody = {
  customerId: 'c1',
  currency: 'EUR',
  lines: [{ sku: 'CUP', quantity: 2, unitPrice: 450 }],
  shippingAddress: { name: 'A', line1: 'B 1', city: 'C', postalCode: '1', country: 'DE' },
};

const backfillBody = {
  ...{ customerId: 'c2', currency: 'BRL', lines: [{ sku: 'OLD', quantity: 1, unitPrice: 100 }] },
  ...{ payments: [{ method: 'card', amount: 100 }], occurredAt: '2017-01-01T00:00:00Z' },
  facts: [
    { kind: 'paid', occurredAt: '2017-01-01T01:00:00Z', payment: 0 },
    { kind: 'shipped', occurredAt: '2017-01-02T00:00:00Z' },
    { kind: 'delivered', occurredAt: '2017-01-03T00:00:00Z' },
  ],
};

/** The command line in this process, with an environment that holds nothing else. */
async function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const terminal = {
    print: (line: string) => void (written.stdout += `${line}\n`),
    note: (line: string) => void (written.stderr += `${line}\n`),
    progress: () => undefined,
  };
  const code = await run(args, { env, terminal, signal: new AbortController().signal });
  return { code, ...written };
}

function startSystem(env: Readonly<Record<string, string>>): ChildProcess {
  const main = join(import.meta.dirname, '..', 'all-in-one', 'main.ts');
  return spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export async function outcomeOf(child: ChildProcess): Promise<Ended> {
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

async function ask(url: URL, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, body: asRecord(await response.json()) };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await sleep(50);
  }
}
