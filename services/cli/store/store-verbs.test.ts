import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { describeWithPostgres, freshDatabase, type FreshDatabase } from '../../../test/postgres.ts';
import { openTestShop, type TestShop } from '../test-shop.ts';

let database: FreshDatabase;
let shop: TestShop;

beforeEach(async () => {
  database = await freshDatabase();
  shop = await openTestShop({ EVENT_STORE_URL: database.url });
});
afterEach(async () => {
  await shop.close();
  await database.drop();
});

describeWithPostgres('order-center store', () => {
  it('says that there is none yet, and what adopt would do, and does nothing', async () => {
    expect(await shop.cli('store')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no event store') as string,
    });
    const asked = await shop.cli('store', 'adopt');
    expect(asked).toMatchObject({ code: 2, stdout: '' });
    expect(asked.stderr).toContain('Nothing was done');
    expect((await shop.cli('store')).code).toBe(1);
  });

  it('adopts no store that a system runs on, wherever it runs', { timeout: 60_000 }, async () => {
    await shop.start();
    const here = await shop.cli('store', 'adopt', '--yes');
    expect(here).toMatchObject({ code: 1, stdout: '' });
    expect(here.stderr).toMatch(/DATA_DIR_IN_USE/);
    const elsewhere = await openTestShop({ EVENT_STORE_URL: database.url });
    const there = await elsewhere.cli('store', 'adopt', '--yes');
    await elsewhere.close();
    expect(there).toMatchObject({ code: 1, stdout: '' });
    expect(there.stderr).toMatch(
      /processes of order-center are connected to .*order-center views.*: stop them first\n$/,
    );
    expect(await shop.store()).toMatchObject({ formerEpochs: [] });
  });

  it(
    'makes a store that was restored on another server whole: views anew, no saga twice, old positions refused',
    { timeout: 120_000 },
    async () => {
      await shop.start();
      const paid = await Promise.all([1, 2, 3].map(() => shop.place('card')));
      const waiting = await shop.place('bank_slip');
      const history = await shop.backfill();
      for (const orderId of paid) await shop.reaches(orderId, 'delivered');
      await shop.settles();
      const before = await shop.store();
      const checkpoint = await shop.checkpoint();
      await shop.stop();

      await moveAhead(database.url);
      const refused = await shop.startAndEnd();
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/^order-center: FOREIGN_STORE: [^\n]*another server[^\n]*store adopt --yes\.\n$/);
      const adopted = await shop.cli('store', 'adopt', '--yes', '--json');
      expect({ code: adopted.code, ...(JSON.parse(adopted.stdout) as object) }).toMatchObject({
        ...{ code: 0, formerEpoch: before.epoch, renumbered: before.events },
        forgotten: expect.arrayContaining(['fulfillment', 'order-summary']) as unknown,
      });

      await shop.start();
      await shop.settles();
      // Every event was read again, and told no saga anything new.
      expect(await shop.store()).toMatchObject({ events: before.events, formerEpochs: [{ epoch: before.epoch }] });
      expect(await shop.statusOf(history)).toBe('delivered');
      expect(await shop.get(`/v1/events?after=${checkpoint}`)).toMatchObject({
        status: 400,
        body: { code: 'INVALID_CURSOR' },
      });
      // A saga that waited goes on where it was.
      await shop.cancel(waiting);
      await shop.reaches(waiting, 'cancelled');
      expect(await shop.cli('verify')).toMatchObject({ code: 0, stderr: '' });
    },
  );
});

/** As after a restore on a server whose transaction ids are far lower. */
async function moveAhead(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('update order_center.events set tx = (tx::text::bigint + 1000000000000)::text::xid8');
  await client.end();
}
