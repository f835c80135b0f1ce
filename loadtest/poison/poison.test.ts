import { expect, it } from 'vitest';
import { describeWithPostgres } from '../../test/postgres.ts';
import { runPoison } from './poison-run.ts';

describeWithPostgres('a poison event in the log of a running system', () => {
  it(
    'parks its one order, which says so; the others go on; mended and drained, its view is the fold',
    { timeout: 150_000 },
    async () => {
      const claims = await runPoison({ orders: 3, keep: false, say: () => undefined });
      expect(claims.filter(({ holds }) => !holds)).toEqual([]);
      expect(claims).toHaveLength(10);
    },
  );
});
