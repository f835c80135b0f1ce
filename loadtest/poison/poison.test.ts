import { expect, it } from 'vitest';
import { describeWithPostgres } from '../../test/postgres.ts';
import { poisonOneOrder } from './one-order.ts';
import { poisonTooMany } from './too-many.ts';

const options = { keep: false, say: () => undefined };
/** A cold start, a minute of deliveries and a drain on a busy machine. */
const timeout = 240_000;

describeWithPostgres('poison in the log of a running system', () => {
  it(
    'parks its one order, which says so; the others go on; mended and drained, the view is the fold',
    { timeout },
    async () => {
      const claims = await poisonOneOrder(3, options);
      expect(claims.filter(({ holds }) => !holds)).toEqual([]);
      expect(claims).toHaveLength(10);
    },
  );

  it(
    'stops one view where it is too much, and nothing else; mended and started again, the view goes on',
    { timeout },
    async () => {
      const claims = await poisonTooMany(options);
      expect(claims.filter(({ holds }) => !holds)).toEqual([]);
      expect(claims).toHaveLength(10);
    },
  );
});
