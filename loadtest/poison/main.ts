import { parseArgs } from 'node:util';
import { runPoison } from './poison-run.ts';

const usage = `usage: npm run test:poison -- [--orders n] [--keep]

  --orders n   orders beside the poisoned one, 1 to 150 (30 by default)
  --keep       leaves the data folder and the log where they are`;

const { values } = parseArgs({
  options: { orders: { type: 'string', default: '30' }, keep: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } }, // prettier-ignore
});
const orders = Number(values.orders);

if (values.help) console.log(usage);
else if (!Number.isInteger(orders) || orders < 1 || orders > 150) {
  console.error(usage);
  process.exitCode = 2;
} else {
  const claims = await runPoison({ orders, keep: values.keep, say: (line) => console.log(line) });
  const failed = claims.filter(({ holds }) => !holds).length;
  console.log(failed === 0 ? `all ${claims.length} hold` : `${failed} of ${claims.length} do not hold`);
  process.exitCode = failed === 0 ? 0 : 1;
}
