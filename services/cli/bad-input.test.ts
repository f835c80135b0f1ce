import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { answer, openTestDoor } from './import-olist/test-door.ts';
import { closedPort, main, openSilentServer, openTestCli, outcomeOf } from './test-cli.ts';
import type { Ended, TestCli } from './test-cli.ts';

// Each CLI row of bad input, by its name there, on the real command line: exit 2 for wrong usage, 1 at runtime, 130
// interrupted; one line on stderr that says what is wrong; nothing on stdout but whole JSON; nothing half done.
const olist = join(import.meta.dirname, 'import-olist', 'test-files');
const secret = 'hunter2';

let cli: TestCli;
beforeEach(async () => {
  cli = await openTestCli();
});
afterEach(() => cli.close());

type Arguments = readonly string[];

function expectOneLine({ code, stdout, stderr }: Ended, expected: number, message: RegExp): void {
  expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
  expect(stderr).toMatch(/^order-center: [^\n]+\n$/);
  expect(stderr.trimEnd()).not.toMatch(/\p{Cc}/u);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\bat .*\.(ts|js):\d|hunter2/);
}

describe('CLI row: unknown command or flag, missing value', () => {
  it.each<[Arguments, RegExp]>([
    [['fly'], /unknown command 'fly'/],
    [['Start'], /unknown command 'Start'/],
    [['__proto__'], /unknown command '__proto__'/],
    [['import', 'shopify', 'x'], /unknown command 'shopify'/],
    [['commands', 'forget', 'x'], /unknown command 'forget'/],
    [['config', '--yaml'], /unknown option '--yaml'/],
    [['start', '--port', '1'], /unknown option '--port'/],
    [['verify', '--ledger'], /argument missing/],
    [['import', 'olist'], /missing required argument 'dir'/],
    [['commands', 'show'], /missing required argument 'id'/],
    [['config', 'x'], /too many arguments/],
    [['config', '--json', '--markdown'], /cannot be used with/],
    [['import', 'olist', 'x', '--concurrency', 'many\nlines'], /It must be a whole number/],
    [['fly\r\norder-center: done\u001b[2K\u0007'], /unknown command 'fly order-center: done \[2K '/],
  ])('%j is wrong usage', async (args, message) => {
    expectOneLine(await cli.run(args), 2, message);
  });
});

describe('CLI row: bad id, number, URL', () => {
  it.each<[Arguments, RegExp]>([
    [['commands', 'show', ''], /It must be 1 to 255 visible characters/],
    [['commands', 'show', 'a b'], /It must be 1 to 255 visible characters/],
    [['commands', 'show', 'k'.repeat(256)], /It must be 1 to 255 visible characters/],
    [['commands', 'show', 'x', '--tenant', '../other'], /It must be 1 to 64/],
    [['commands', 'show', 'x', '--url', 'file:///etc/passwd'], /It must be a URL/],
    [['import', 'olist', 'x', '--concurrency', '1e9'], /It must be a whole number, 1 to 256/],
    [['import', 'olist', 'x', '--concurrency', '-1'], /It must be a whole number, 1 to 256/],
    [['verify', '--stuck-after-ms', 'NaN'], /It must be a whole number/],
  ])('%j is wrong usage', async (args, message) => {
    expectOneLine(await cli.run(args), 2, message);
  });

  // Rows of verbs that take an id or a date; a database that is down shows that the line was read before anything else.
  it.for<readonly [Arguments]>([
    [['rebuild', 'order-summary', '--order', 'not-a-uuid', '--yes']],
    [['parking', 'show', 'not-a-uuid']],
    [['parking', 'discard', '--order', 'not-a-uuid', '--yes']],
    [['sagas', 'show', 'not-a-uuid']],
    [['replay', '--from', 'yesterday', '--to', 'tomorrow']],
  ])('%j is wrong usage', async ([args], { skip }) => {
    if (!(await hasVerb(args))) skip(`there is no verb ${args[0]} yet`);
    expectOneLine(await cli.run(args, await databaseDown()), 2, /order-center: error: /);
  });
});

describe('CLI row: file absent', () => {
  it.each<[Arguments, RegExp]>([
    [['import', 'olist', 'none'], /there is no orders\.csv/],
    [['import', 'olist', main], /there is no orders\.csv/],
    [['import', 'olist', ''], /there is no orders\.csv/],
  ])('%j fails', async (args, message) => {
    expectOneLine(await cli.run(args), 1, message);
  });

  it.each(['--ledger', '--reads'])('verify %s of no file fails before the store is opened', async (option) => {
    const env = await databaseDown();
    expectOneLine(await cli.run(['verify', option, join(cli.folder, 'none')], env), 1, /none cannot be read: ENOENT/);
    expectOneLine(await cli.run(['verify', option, cli.folder], env), 1, /is no file/);
  });

  it('a file of another kind is refused before an order is sent', async () => {
    const door = await openTestDoor();
    for (const name of ['orders', 'order_items', 'payments', 'customers']) {
      await writeFile(join(cli.folder, `${name}.csv`), '\0\x01"unclosed,\n');
    }
    const { code, stdout, stderr } = await cli.run(['import', 'olist', cli.folder, '--url', door.url, '--json']);
    expect({ code, stdout, orders: door.orders.size }).toEqual({ code: 1, stdout: '', orders: 0 });
    expect(stderr).toMatch(/^order-center: [^\n]+\n$/);
    await door.close();
  });
});

describe('CLI row: stdin closed, EPIPE', () => {
  it('a verb needs no stdin', async () => {
    const child = spawn(process.execPath, [main, 'config', '--json'], { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
    const { code, stdout } = await outcomeOf(child);
    expect([code, (JSON.parse(stdout) as unknown[]).length > 0]).toEqual([0, true]);
  });

  it('a reader that leaves after a line, as head -1 does, is no failure', async () => {
    const script = '"$0" "$1" config | head -1; echo "${PIPESTATUS[0]}"';
    const child = spawn('bash', ['-c', script, process.execPath, main], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin' },
    });
    const { stdout, stderr } = await outcomeOf(child);
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('0');
  });

  it.each<[Arguments, 'stdout' | 'stderr', number]>([
    [['config'], 'stdout', 0],
    [['config', '--json'], 'stdout', 0],
    [['--help'], 'stdout', 0],
    [['fly'], 'stderr', 2],
    [['verify'], 'stderr', 1],
  ])('%j with a closed %s still ends with %i', async (args, closed, code) => {
    const child = cli.start(args, await databaseDown());
    child[closed]?.destroy();
    expect(await outcomeOf(child)).toEqual({ code, stdout: '', stderr: '' });
  });
});

describe('CLI row: bad environment value', () => {
  const env = {
    PORT: '99999',
    AUTH: 'maybe',
    LOG_LEVEL: 'loud',
    UNPAID_EXPIRY_MS: '1e9',
    EVENT_STORE_URL: `mysql://me:${secret}@db/x`,
    WEBHOOK_SECRET_PAYMENTS: secret,
  };
  const problems =
    /INVALID_CONFIGURATION: PORT [^\n]*AUTH [^\n]*EVENT_STORE_URL [^\n]*UNPAID_EXPIRY_MS [^\n]*LOG_LEVEL /;

  it.each<[Arguments]>([[['start']], [['verify', '--json']], [['import', 'olist', olist]]])(
    '%j names all of them in one line, without secrets',
    async (args) => {
      expectOneLine(await cli.run(args, env), 1, problems);
    },
  );

  it('config lists them and names all of them in one line, without secrets', async () => {
    const { stdout, ...ended } = await cli.run(['config', '--json'], env);
    expectOneLine({ ...ended, stdout: '' }, 1, problems);
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ name: 'PORT', value: '99999' }));
    expect(stdout).not.toContain(secret);
  });

  it('an open door without AUTH is refused', async () => {
    const ended = await cli.run(['start'], { HOST: '0.0.0.0', EVENT_STORE_URL: 'memory:' });
    expectOneLine(ended, 1, /INVALID_CONFIGURATION: HOST 0\.0\.0\.0 is not loopback/);
  });
});

describe('CLI row: port in use, database down', () => {
  it('a port in use is named', async () => {
    const silent = await openSilentServer();
    const env = { PORT: String(silent.port), EVENT_STORE_URL: 'memory:', LOG_LEVEL: 'silent' };
    expectOneLine(await cli.run(['start'], env), 1, /PORT_UNUSABLE: [^\n]*EADDRINUSE/);
    await silent.close();
  });

  it.each<[Arguments]>([[['start']], [['verify']], [['verify', '--json']]])(
    '%j of a database that is down fails',
    async (args) => {
      expectOneLine(await cli.run(args, { ...(await databaseDown()), LOG_LEVEL: 'silent' }), 1, /STORE_UNAVAILABLE: /);
    },
  );

  it.each<[Arguments]>([[['import', 'olist', olist]], [['commands', 'show', 'x', '--json']]])(
    '%j of a system that is down fails',
    async (args) => {
      expectOneLine(await cli.run([...args, '--url', `http://127.0.0.1:${await closedPort()}`]), 1, /does not answer/);
    },
  );

  it('an import whose orders are refused says so in whole JSON, and fails', async () => {
    const door = await openTestDoor();
    door.interfere = (request, response) =>
      request.method === 'POST' && answer(response, 422, { code: 'INVALID_VALUE', detail: 'no' });
    const { code, stdout } = await cli.run(['import', 'olist', olist, '--url', door.url, '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { imported: 0, differences: expect.any(Array) as unknown }]);
    await door.close();
  });
});

describe('CLI row: SIGINT', () => {
  it('ends an import that sends with 130 and one line', async () => {
    const door = await openTestDoor();
    const posted = new Promise<void>((resolve) => {
      door.interfere = ({ method }) => {
        if (method === 'POST') resolve();
        return method === 'POST';
      };
    });
    await expectInterrupted(['import', 'olist', olist, '--url', door.url], {}, posted);
    await door.close();
  });

  it('ends an import that reads back with 130 and one line', async () => {
    const door = await openTestDoor();
    const read = new Promise<void>((resolve) => {
      door.interfere = ({ url = '' }) => {
        const isList = url.startsWith('/v1/orders?');
        if (isList) resolve();
        return isList;
      };
    });
    await expectInterrupted(['import', 'olist', olist, '--url', door.url, '--json'], {}, read);
    await door.close();
  });

  it('ends a verify whose database hangs with 130 and one line', async () => {
    const silent = await openSilentServer();
    const env = { EVENT_STORE_URL: `postgres://me:${secret}@127.0.0.1:${silent.port}/x` };
    await expectInterrupted(['verify', '--json'], env, silent.connected);
    await silent.close();
  });

  it('ends a question whose answer never comes with 130 and one line', async () => {
    const silent = await openSilentServer();
    const url = `http://127.0.0.1:${silent.port}`;
    await expectInterrupted(['commands', 'show', 'x', '--url', url], {}, silent.connected);
    await silent.close();
  });

  async function expectInterrupted(args: Arguments, env: Readonly<Record<string, string>>, when: Promise<unknown>) {
    const child = cli.start(args, env);
    const ended = outcomeOf(child);
    await when;
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, stdout: '', stderr: 'order-center: interrupted\n' });
  }
});

describe('CLI row: destructive without --yes', () => {
  // The database is down: exit 2 instead of 1 shows that nothing was even asked of it.
  it.for<readonly [Arguments]>([
    [['store', 'adopt']],
    [['rebuild', 'order-summary']],
    [['parking', 'discard', '--order', '9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55']],
    [['sagas', 'skip', '9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55']],
  ])('%j is wrong usage, and nothing is done', async ([args], { skip }) => {
    if (!(await hasVerb(args))) skip(`there is no verb ${args[0]} yet`);
    expectOneLine(await cli.run(args, await databaseDown()), 2, /--yes/);
  });
});

/** Verbs of later issues have their rows here already. */
async function hasVerb(args: Arguments): Promise<boolean> {
  const { stdout } = await cli.run([args[0] ?? '', '--help']);
  return stdout.includes(`Usage: order-center ${args[0] ?? ''}`);
}

async function databaseDown(): Promise<Readonly<Record<string, string>>> {
  return { EVENT_STORE_URL: `postgres://me:${secret}@127.0.0.1:${await closedPort()}/x` };
}
