import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { launchRole } from '../system/role-process.ts';
import type { RoleName, RoleProcess } from '../system/role-process.ts';

let folder: string;
let launched: RoleProcess | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'order-center-roles-'));
});
afterEach(async () => {
  // Gone already, unless the test failed.
  await launched?.kill();
  await rm(folder, { recursive: true, maxRetries: 5 });
});

const ownRoutes: readonly (readonly [RoleName, string, number])[] = [
  ['order-commands', '/v1/orders', 405],
  ['inventory', '/v1/stock/cup', 404],
  ['order-queries', '/v1/orders', 200],
  ['projector', '/v1/orders', 404],
  ['fulfillment', '/v1/orders', 404],
];

describeWithPostgres('a role alone', () => {
  it.each(ownRoutes)(
    'serves its health, its metrics and its own routes, and ends with 0: %s',
    { timeout: 90_000 },
    async (role, path, status) => {
      const database = await freshDatabase();
      const environment = { EVENT_STORE_URL: database.url, DATA_DIR: folder };
      launched = await launchRole(role, { environment, folder });
      const url = launched.urls[0] ?? '';
      expect(await statusOf(`${url}/livez`)).toBe(200);
      expect(await statusOf(`${url}/readyz`)).toBe(200);
      expect(await statusOf(`${url}/metrics`)).toBe(200);
      expect(await statusOf(`${url}${path}`)).toBe(status);
      expect(await launched.terminate()).toBe(0);
      await database.drop();
    },
  );

  it.each<RoleName>(['order-commands', 'projector'])(
    'says in one line which variable it misses: %s',
    { timeout: 60_000 },
    async (role) => {
      const entry = join(import.meta.dirname, '..', '..', 'services', role, 'main.ts');
      const child = spawn(process.execPath, [entry], {
        env: { PATH: process.env.PATH, READ_DB_URL: 'memory:', DATA_DIR: folder, PORT: '0' },
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: 50_000,
      });
      const [stderr, [code]] = await Promise.all([
        text(child.stderr),
        once(child, 'close') as Promise<[number | null]>,
      ]);
      expect(stderr).toMatch(/^order-center: INVALID_CONFIGURATION: EVENT_STORE_URL is [^\n]*READ_DB_URL is [^\n]*\n$/);
      expect(code).toBe(1);
    },
  );
});

async function statusOf(url: string): Promise<number> {
  const answer = await fetch(url);
  await answer.body?.cancel();
  return answer.status;
}
