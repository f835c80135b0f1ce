import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PaymentEntry } from '../../infra/payments/gateway.ts';
import { openLogistics } from '../../infra/logistics/open.ts';
import { openPayments } from '../../infra/payments/open.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
let dataDir: string;
let children: ChildProcess[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'order-center-crash-'));
});
afterEach(async () => {
  for (const child of children) await kill(child);
  children = [];
  await rm(dataDir, { recursive: true });
});

async function start() {
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, DATA_DIR: dataDir, SIM_PAYMENT_DELAY_MS: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const urls: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    urls.push(line.slice(line.indexOf('=') + 1));
    if (urls.length === 3) break;
  }
  const [paymentUrl = '', logisticsUrl = ''] = urls;
  return { child, payments: openPayments(paymentUrl), logistics: openLogistics(logisticsUrl) };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  const [code] = (await exit) as [number | null];
  return code;
}

async function paymentLines(): Promise<readonly PaymentEntry[]> {
  const text = await readFile(join(dataDir, 'simulators/payments.jsonl'), 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as PaymentEntry);
}

const request = (n: number) => {
  return { key: `o${n}/pay/1`, orderId: `o${n}`, paymentId: 'p', amount: 100, currency: 'EUR', method: 'card' };
};

it('answers the same key with the same result after kill -9, and keeps one line of it', async () => {
  const before = await start();
  const first = await before.payments.authorize(request(1));
  const parcel = { key: 'o1/book/1', orderId: 'o1', shipmentId: 's', lines: [] };
  const booking = await before.logistics.book(parcel);
  await kill(before.child);
  await appendFile(join(dataDir, 'simulators/payments.jsonl'), '{"at":"torn');
  const after = await start();
  expect(await after.payments.authorize(request(1))).toEqual(first);
  expect(await after.logistics.book(parcel)).toEqual(booking);
  expect(await paymentLines()).toHaveLength(1);
});

it('has every acknowledged effect on disk once, when it is killed under load', async () => {
  const before = await start();
  const acknowledged: string[] = [];
  const load = Array.from({ length: 8 }, async (_, worker) => {
    for (let n = 0; ; n += 1) {
      const { key } = request(worker * 1_000_000 + n);
      await before.payments.authorize(request(worker * 1_000_000 + n));
      acknowledged.push(key);
    }
  });
  const ended = Promise.allSettled(load);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await kill(before.child);
  await ended;
  await start();
  const keys = (await paymentLines()).map(({ key }) => key);
  expect(acknowledged.length).toBeGreaterThan(8);
  expect(new Set(keys).size).toBe(keys.length);
  expect(acknowledged.filter((key) => !keys.includes(key))).toEqual([]);
});

it('ends with 0 on SIGTERM', async () => {
  const { child } = await start();
  expect(await kill(child, 'SIGTERM')).toBe(0);
});
