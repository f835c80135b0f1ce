import { spawn, type ChildProcess } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { readConfig } from '../../infra/config/config.ts';
import { readOptions } from './options.ts';
import { plan } from './plan.ts';
import { environmentOf, roleNames, type Servers } from './roles.ts';
import { pauseBefore, supervise, type Runs, type Supervised } from './supervise.ts';

let children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
});

/** A process that stays until it is ended. */
function launch(): Runs & { readonly kill: () => void } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => null, 1000)'], { stdio: 'ignore' });
  children.push(child);
  const exited = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? `${code}`)));
  return { pid: child.pid ?? 0, exited, kill: () => void child.kill('SIGKILL') };
}

type Watched = {
  readonly supervised: Supervised;
  readonly lines: readonly string[];
  readonly killCurrent: () => void;
  /** Resolves when a line was said that fits. */
  readonly said: (pattern: RegExp) => Promise<string>;
};

/** @param failures how often it does not start before it does */
function watched(failures = 0): Watched {
  const lines: string[] = [];
  const waiting: { readonly pattern: RegExp; readonly resolve: (line: string) => void }[] = [];
  let current = launch();
  let left = failures;
  const supervised = supervise(current, {
    name: 'projector',
    again: () => {
      left -= 1;
      if (left >= 0) return Promise.reject(new Error('its store is down'));
      current = launch();
      return Promise.resolve(current);
    },
    end: async () => {
      current.kill();
      await current.exited;
    },
    say: (line) => {
      lines.push(line);
      for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve(line);
    },
  });
  const said = (pattern: RegExp): Promise<string> => {
    const found = lines.find((line) => pattern.test(line));
    return found === undefined ? new Promise((resolve) => waiting.push({ pattern, resolve })) : Promise.resolve(found);
  };
  return { supervised, lines, said, killCurrent: () => current.kill() };
}

describe('a supervised process', () => {
  it('is started again when it dies, and it is said how it died and who follows', async () => {
    const { supervised, said, killCurrent } = watched();
    const first = supervised.pid();
    killCurrent();
    expect(await said(/ended/)).toBe(`projector (process ${first}) ended: SIGKILL`);
    await said(/started again in 0\.2 s/);
    await said(/runs again as process/);
    expect(supervised.pid()).not.toBe(first);
    await supervised.stop();
  });

  it('is tried again where it does not start, each time after a longer pause', async () => {
    const { supervised, lines, said, killCurrent } = watched(2);
    killCurrent();
    await said(/runs again/);
    expect(lines.filter((line) => line.includes('does not start: its store is down'))).toHaveLength(2);
    expect(lines.filter((line) => line.includes('is started again in'))).toEqual([
      'projector is started again in 0.2 s',
      'projector is started again in 0.4 s',
      'projector is started again in 0.8 s',
    ]);
    await supervised.stop();
  });

  it('stays ended once it is stopped, even while it was about to be started', async () => {
    const { supervised, lines, said, killCurrent } = watched();
    killCurrent();
    await said(/started again in/);
    await supervised.stop();
    expect(lines.filter((line) => line.includes('runs again'))).toEqual([]);
  });

  it('waits ten seconds at most, however often it died', () => {
    expect([1, 2, 3, 6, 7, 1_000].map(pauseBefore)).toEqual([200, 400, 800, 6_400, 10_000, 10_000]);
  });
});

describe('the roles of the stack', () => {
  it('are all services that run apart', async () => {
    const services = await readdir(join(import.meta.dirname, '..'));
    expect([...roleNames].sort()).toEqual(
      services.filter((name) => !['all-in-one', 'cli', 'stack'].includes(name)).sort(),
    );
  });

  it('put the origin at a free port where it is asked for port 0, as all must know it before it listens', async () => {
    const { instances } = await plan(new Map(), 0);
    expect(instances.every(({ port }) => port > 0)).toBe(true);
    expect(new Set(instances.map(({ port }) => port)).size).toBe(instances.length);
  });

  it('each get a configuration that a role can read, and know each other by addresses that differ', async () => {
    const planned = await plan(new Map([['projector', 3]] as const), 25_001);
    expect(planned.instances.map(({ name }) => name)).toEqual([
      'simulators',
      'order-commands',
      'inventory',
      'order-queries',
      'event-relay',
      'projector-1',
      'projector-2',
      'projector-3',
      'fulfillment',
      'origin',
    ]);
    const { payment, logistics, risk } = planned.gateways;
    const ports = new Set([payment, logistics, ...planned.instances.map(({ port }) => port)]);
    expect(ports.size).toBe(planned.instances.length + 2);
    expect(ports.has(risk)).toBe(true);
    const servers: Servers = {
      dataDir: '/data',
      eventStoreUrl: 'postgres://user:secret@127.0.0.1:5432/order_center',
      cacheUrl: 'redis://127.0.0.1:6379',
      kafkaUrl: 'kafka://127.0.0.1:9092',
    };
    for (const instance of planned.instances) {
      const config = readConfig(environmentOf(instance, servers, planned));
      expect(config.port).toBe(instance.port);
      expect(config.upstreams).toHaveLength(6);
      expect(config.commandsUrl).toBe(planned.instances[1]?.url);
    }
    expect(planned.instances.at(-1)?.url).toBe('http://127.0.0.1:25001');
  });
});

describe('what the stack is told', () => {
  it('is how many processes of which role, and where the events are', () => {
    const options = readOptions([
      '--scale',
      'projector=3',
      '--scale',
      'order-queries=2',
      '--event-store',
      'postgres://h/d',
    ]);
    expect(options).toEqual({
      scale: new Map([
        ['projector', 3],
        ['order-queries', 2],
      ]),
      eventStoreUrl: 'postgres://h/d',
    });
  });

  it.each(['projector', 'projector=0', 'projector=17', 'projector=x', 'projectors=2', 'origin=2', 'simulators=2'])(
    'is refused where it makes no sense: --scale %s',
    (text) => {
      const failure = expect.objectContaining({ code: 'INVALID_CONFIGURATION' }) as Error;
      expect(() => readOptions(['--scale', text])).toThrow(failure);
    },
  );

  it('is refused where it is misspelled', () => {
    expect(() => readOptions(['--scales', 'projector=2'])).toThrow(/scales/);
  });
});
