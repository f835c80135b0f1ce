import pg from 'pg';
import { expect, it } from 'vitest';

import { describeWithPostgres, freshDatabase } from '../../../test/postgres.ts';
import { openTestShop } from '../test-shop.ts';

describeWithPostgres('order-center rebuild', () => {
  it('asks for a view that there is, and for --yes', async () => {
    const shop = await openTestShop({});
    const unknown = await shop.cli('rebuild', 'order-sumary', '--yes');
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toMatch(/no projection order-sumary: choose one of order-summary, /);
    const unsure = await shop.cli('rebuild', 'order-summary');
    expect(unsure).toMatchObject({ code: 2, stdout: '' });
    expect(unsure.stderr).toContain('Nothing was done');
    expect(await shop.cli('rebuild', 'order-summary', '--verify-only', '--yes')).toMatchObject({ code: 2, stdout: '' });
    await shop.close();
  });

  it('finds what differs while the system runs, and mends it while it does not', { timeout: 90_000 }, async () => {
    const database = await freshDatabase();
    const shop = await openTestShop({ EVENT_STORE_URL: database.url });
    await shop.start();
    const orderIds = await Promise.all([1, 2, 3].map(() => shop.place('card')));
    for (const orderId of orderIds) await shop.reaches(orderId, 'delivered');
    await shop.settles();
    const good = await shop.cli('rebuild', 'order-summary', '--verify-only', '--json');
    expect({ code: good.code, ...(JSON.parse(good.stdout) as object) }).toMatchObject({
      code: 0,
      documents: 3,
      differing: 0,
    });
    const refused = await shop.cli('rebuild', 'order-summary', '--yes');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^order-center: [^\n]+\n$/);

    await spoil(database.url, orderIds[0] ?? '');
    const bad = await shop.cli('rebuild', 'order-summary', '--verify-only', '--json');
    expect({ code: bad.code, ...(JSON.parse(bad.stdout) as object) }).toMatchObject({
      ...{ code: 1, differing: 1, examples: [`default ${orderIds[0]}`] },
    });
    await shop.stop();
    const mended = await shop.cli('rebuild', 'order-summary', '--yes', '--json');
    expect({ code: mended.code, ...(JSON.parse(mended.stdout) as object) }).toMatchObject({
      ...{ code: 0, differing: 0, documents: 3, digest: (JSON.parse(good.stdout) as { digest: string }).digest },
    });
    await shop.close();
    await database.drop();
  });
});

async function spoil(url: string, orderId: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `update views.order_summary set document = jsonb_set(document::jsonb, '{status}', '"placed"')::json where key = $1`,
    [orderId],
  );
  await client.end();
}
