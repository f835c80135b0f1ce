import { parseArgs } from 'node:util';
import { poisonOneOrder } from './one-order.ts';
import { poisonTooMany } from './too-many.ts';

const usage = `usage: npm run test:poison -- [--orders n] [--keep]

Plants events that no view can fold into the table of a running system, mends them and drains what was parked.

  --orders n   orders beside the one that is poisoned, 1 to 150 (30 by default)
  --keep       leaves the data folders and the logs where they are`;

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '30' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const orders = Number(values.orders);

if (values.help) console.log(usage);
else if (!Number.isInteger(orders) || orders < 1 || orders > 150) {
  console.error(usage);
  process.exitCode = 2;
} else {
  const options = { keep: values.keep, say: (line: string) => console.log(line) };
  const claims = [...(await poisonOneOrder(orders, options)), ...(await poisonTooMany(options))];
  const failed = claims.filter(({ holds }) => !holds).length;
  console.log(failed === 0 ? `all ${claims.length} hold` : `${failed} of ${claims.length} do not hold`);
  process.exitCode = failed === 0 ? 0 : 1;
}
