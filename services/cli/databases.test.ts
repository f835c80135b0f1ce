import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { readConfig } from '../../infra/config/config.ts';
import { openLeases } from '../../infra/leases/open.ts';
import { publishRunning } from '../../infra/local/data-dir.ts';
import { describeWithPostgres, freshDatabase, type FreshDatabase } from '../../test/postgres.ts';
import { findDatabases } from './databases.ts';

describeWithPostgres('the databases of a verb', () => {
  let dataDir: string;
  let database: FreshDatabase;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'order-center-databases-'));
    database = await freshDatabase();
  });
  afterEach(async () => {
    await database.drop();
    await rm(dataDir, { recursive: true });
  });

  const find = async () => {
    await using stack = new AsyncDisposableStack();
    return await findDatabases(readConfig({ DATA_DIR: dataDir, EVENT_STORE_URL: database.url }), stack);
  };
  const publish = (postgresUrl: string) =>
    publishRunning(dataDir, { pid: process.pid, urls: { http: 'http://127.0.0.1:8080' }, postgresUrl });

  it('have the door of the system that runs on them', async () => {
    await publish(database.url);
    expect(await find()).toMatchObject({ httpUrl: 'http://127.0.0.1:8080', isRunning: true });
  });

  it('have no door of another system that happens to run on DATA_DIR', async () => {
    await publish('postgres://127.0.0.1:1/elsewhere');
    expect(await find()).toEqual({
      ...{ eventStoreUrl: database.url, readDbUrl: database.url },
      ...{ httpUrl: null, isRunning: false },
    });
  });

  it('are known to move where a role that follows the log runs apart', async () => {
    const leases = await openLeases(database.url);
    await leases.tryAcquire('projector/order-summary');
    expect(await find()).toMatchObject({ httpUrl: null, isRunning: true });
    await leases.close();
  });
});
