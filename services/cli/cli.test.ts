import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { openEventStore } from '../../infra/event-store/open.ts';
import { openReadStore } from '../../infra/read-store/open.ts';
import { projections } from '../../projections/all.ts';
import { newEventId } from '../../schemas/ids.ts';
import type { CommandId } from '../../schemas/ids.ts';
import { answer, openTestDoor } from './import-olist/test-door.ts';
import { closedPort, main, openTestCli, outcomeOf } from './test-cli.ts';
import type { TestCli } from './test-cli.ts';
import { invariants } from './verify/invariants/all.ts';
import { money, order, orderId, tenantId } from './verify/test-history.ts';

const olist = join(import.meta.dirname, 'import-olist', 'test-files');

let folder: string;
let start: TestCli['start'];
let run: TestCli['run'];
let close: TestCli['close'];

beforeEach(async () => {
  ({ folder, start, run, close } = await openTestCli());
});

afterEach(() => close());

describe('a wrong command line', () => {
  it.each([
    [['fly'], "unknown command 'fly'"],
    [['config', '--yaml'], "unknown option '--yaml'"],
    [['verify', '--ledger'], "option '--ledger <file>' argument missing"],
    [['import', 'olist'], "missing required argument 'dir'"],
    [['import', 'shopify', 'x'], "unknown command 'shopify'"],
    [['import', 'olist', 'x', '--concurrency', '0'], 'It must be a whole number, 1 to 256.'],
    [['import', 'olist', 'x', '--url', 'localhost'], 'It must be a URL'],
    [['commands', 'show', 'x', '--tenant', 'a b'], 'It must be 1 to 64'],
    [['config', 'x'], 'too many arguments'],
    [['config', '--json', '--markdown'], 'cannot be used with'],
  ])('%j is answered in one line with exit 2', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^order-center: error: [^\n]*\n$/);
    expect(stderr).toContain(message);
  });

  it('without a verb shows the help and exits 2', async () => {
    expect(await run([])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('--help', () => {
  it.each([[['--help']], [['import', '--help']], [['commands', '--help']]])('of %j goes to stdout', async (args) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Usage: order-center');
  });

  it.each([[['start']], [['import', 'olist']], [['config']], [['commands', 'show']], [['verify']]])(
    'of %j has examples',
    async (verb) => {
      const { code, stdout } = await run([...verb, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain(`Examples:\n  $ npx order-center ${verb.join(' ')}`);
    },
  );
});

describe('order-center config', () => {
  const secret = 'hunter2';
  const env = { EVENT_STORE_URL: `postgres://me:${secret}@db/x`, PORT: '9090' };

  it('lists every variable and shows no password', async () => {
    const { code, stdout, stderr } = await run(['config'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^PORT +9090 +environment$/m);
    expect(stdout).toMatch(/^EVENT_STORE_URL +postgres:\/\/me:\*\*\*@db\/x +environment$/m);
    expect(stdout).toMatch(/^HOST +127\.0\.0\.1 +default$/m);
    expect(stdout).not.toContain(secret);
  });

  it('prints valid JSON', async () => {
    const { stdout } = await run(['config', '--json'], env);
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ name: 'PORT', value: '9090' }));
  });

  it('names all impossible values in one line with exit 1, without secrets', async () => {
    const { code, stderr } = await run(['config'], {
      PORT: 'x',
      READ_DB_URL: `redis://:${secret}@x`,
      FEED_URL: 'kafka://b',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^order-center: INVALID_CONFIGURATION: PORT [^\n]*READ_DB_URL [^\n]*FEED_URL [^\n]*\n$/);
    expect(stderr).not.toContain(secret);
  });
});

describe('a system that does not help', () => {
  it('is named when it does not answer', async () => {
    const env = { PORT: String(await closedPort()) };
    const { code, stdout, stderr } = await run(['import', 'olist', olist], env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^order-center: http:\/\/127\.0\.0\.1:\d+ does not answer \(ECONNREFUSED\); [^\n]*\n$/);
    expect(await run(['commands', 'show', 'x'], env)).toMatchObject({ code: 1, stdout: '' });
  });

  it('is named when it is a database that is down', async () => {
    const env = { EVENT_STORE_URL: `postgres://me:hunter2@127.0.0.1:${await closedPort()}/x` };
    const { code, stdout, stderr } = await run(['verify', '--json'], env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^order-center: STORE_UNAVAILABLE: [^\n]*\n$/);
    expect(stderr).not.toContain('hunter2');
  });

  it('is named when its folder cannot be used, and a file that is not there', async () => {
    await writeFile(join(folder, 'file'), '');
    const unusable = await run(['verify'], { DATA_DIR: join(folder, 'file', 'x') });
    expect(unusable.code).toBe(1);
    expect(unusable.stderr).toMatch(/^order-center: DATA_DIR_UNUSABLE: [^\n]*\n$/);
    const absent = await run(['import', 'olist', join(folder, 'none')]);
    expect(absent).toMatchObject({ code: 1, stdout: '' });
    expect(absent.stderr).toMatch(/^order-center: there is no orders\.csv or orders\.csv\.gz in [^\n]*\n$/);
  });
});

describe('order-center start', () => {
  it('says in one line that its port is in use, and ends', async () => {
    const door = await openTestDoor();
    const env = { PORT: new URL(door.url).port, EVENT_STORE_URL: 'memory:', LOG_LEVEL: 'silent' };
    const { code, stdout, stderr } = await run(['start'], env);
    await door.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^order-center: PORT_UNUSABLE: [^\n]*EADDRINUSE[^\n]* choose another PORT[^\n]*\n$/);
  });
});

describe('order-center commands show', () => {
  it('prints what the system says, as JSON where asked, and fails where there is no such command', async () => {
    const door = await openTestDoor();
    const body = { commandId: 'a/b', outcome: 'accepted', orderId: 'o', version: 3 };
    door.interfere = (request, response) =>
      request.url === '/v1/commands/a%2Fb' && request.headers['x-tenant-id'] === 't1' && answer(response, 200, body);
    const told = ['--url', door.url, '--tenant', 't1'];
    const json = await run(['commands', 'show', 'a/b', '--json', ...told]);
    expect(JSON.parse(json.stdout)).toEqual(body);
    expect((await run(['commands', 'show', 'a/b', ...told])).stdout).toMatch(/^outcome +accepted$/m);
    const unknown = await run(['commands', 'show', 'x', ...told]);
    expect(unknown).toEqual({ code: 1, stdout: '', stderr: 'order-center: 404 ORDER_NOT_FOUND\n' });
    await door.close();
  });
});

describeWithPostgres('order-center verify', () => {
  it('says of a store without events that nothing was checked', async () => {
    const database = await freshDatabase();
    const { code, stdout, stderr } = await run(['verify'], { EVENT_STORE_URL: database.url });
    await database.drop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toHaveLength(invariants.length);
    expect(stdout).toMatch(/^(I\d+ not checked: [^\n]+\n)+$/);
  });

  it('counts what it checked, names a violation on stderr and fails', async () => {
    const database = await freshDatabase();
    const store = await openEventStore(database.url);
    const views = openReadStore(database.url);
    await views.prepare(projections.map(({ view }) => view));
    const event = { eventId: newEventId(), type: 'PaymentCaptured', schemaVersion: 1, occurredAt: undefined };
    const data = { ...money, providerId: 'x' };
    await store.append({
      ...{ stream: order, tenantId, expected: 'none', commandId: 'c' as CommandId, commandHash: 'h' },
      ...{ origin: 'backfill', correlationId: 'x', causationId: null, events: [{ ...event, data }] },
    });
    await Promise.all([store.close(), views.close()]);
    const { code, stdout, stderr } = await run(['verify', '--json'], { EVENT_STORE_URL: database.url });
    await database.drop();
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ id: 'I6', checked: 1, violations: 0 }));
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ id: 'I23', checked: 1, violations: 1 }));
    expect(stderr).toContain(`I23   order ${orderId}: authorized 0, captured 1000, refunded 0\n`);
  });
});

describe('the terminal', () => {
  it('may close stdin and may leave while we write', async () => {
    const child = start(['config', '--json'], {});
    child.stdin?.destroy();
    child.stdout?.destroy();
    expect(await outcomeOf(child)).toMatchObject({ stderr: '', code: 0 });
  });

  it('ends an import by Ctrl-C with 130 and one line', async () => {
    const door = await openTestDoor();
    const posted = new Promise<void>((resolve) => {
      door.interfere = (request) => {
        if (request.method === 'POST') resolve();
        return request.method === 'POST';
      };
    });
    const child = start(['import', 'olist', olist, '--url', door.url], {});
    const ended = outcomeOf(child);
    await posted;
    child.kill('SIGINT');
    expect(await ended).toEqual({ stdout: '', stderr: 'order-center: interrupted\n', code: 130 });
    await door.close();
  });
});

describe('a machine whose Node is older', () => {
  it('is told so in one line by the script itself', async () => {
    await writeFile(join(folder, 'node'), '#!/bin/sh\necho v20.20.2\n');
    await chmod(join(folder, 'node'), 0o755);
    const child = spawn(main, ['--help'], { env: { PATH: `${folder}:/usr/bin:/bin` } });
    const { code, stdout, stderr } = await outcomeOf(child);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(/^order-center: needs Node 24 or newer [^\n]*\n$/);
  });

  it('runs by itself where Node is new enough', async () => {
    const path = `${join(process.execPath, '..')}:${process.env.PATH ?? ''}`;
    const child = spawn(main, ['config', '--json'], { env: { PATH: path } });
    const { code, stdout } = await outcomeOf(child);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toBeInstanceOf(Array);
  });
});
