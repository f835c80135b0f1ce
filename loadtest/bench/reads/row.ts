import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { findRedisServer, startRedisServer } from '../../../infra/local/redis-server.ts';
import { startChild, type Child } from '../child-process.ts';
import { compare, type Leg } from '../pairs.ts';
import { atLeast, type BenchContext, type BenchRow, type Finding } from '../row.ts';
import type { Reader, ReadsAnswer, ReadsRequest } from './reads.child.ts';

const keys = 10_000;
/** An order of two lines, as its readers get it. */
const bytes = 1_000;
const callers = 256;
const aim = 0.85;
/** redis-benchmark wants a count: about a second of it. */
const benchmarkRequests = 400_000;

/** Order snapshots by id from a real Redis, many readers at once, against the best that a client can do. */
export const readsRow: BenchRow = {
  name: 'reads',
  title: `snapshots from Redis, ${callers} readers with one order each, against redis-benchmark with 100 GETs in a pipeline`,
  measure: async (context) => {
    if ((await findRedisServer()) === null) throw new Error('this row needs redis-server and redis-benchmark');
    const redis = await startRedisServer();
    try {
      return await measureOn(redis, context);
    } finally {
      await redis.stop();
    }
  },
};

type Readers = Child<ReadsRequest, ReadsAnswer>;

async function measureOn(
  { url, port }: { readonly url: string; readonly port: number },
  context: BenchContext,
): Promise<Finding> {
  const child: Readers = startChild(join(import.meta.dirname, 'reads.child.ts'), context.execArgv);
  try {
    await child.ask({ kind: 'open', url, keys, bytes });
    const leg = (name: string, reader: Reader): Leg => ({
      name,
      run: async () => {
        const { read, seconds } = await child.ask({ kind: 'leg', reader, callers, seconds: context.seconds });
        return read / seconds;
      },
    });
    const candidates = [leg('order snapshots', 'snapshots'), leg('ioredis, a GET each', 'ioredis')];
    for (const candidate of candidates) await candidate.run();
    const comparisons = await compare({
      limit: { name: 'redis-benchmark, 1 connection, 100 GETs in a pipeline', run: () => redisBenchmark(port) },
      ...{ candidates, unit: 'reads/s', reps: context.reps, say: context.say },
    });
    const ratio = comparisons[0]?.ratio?.median ?? null;
    return { verdicts: [atLeast('order snapshots / redis-benchmark', ratio, aim)], comparisons, facts: {} };
  } finally {
    await child.stop();
  }
}

/** It reads one key of the same size, which its own SET made. */
async function redisBenchmark(port: number): Promise<number> {
  const common = ['-h', '127.0.0.1', '-p', String(port), '-c', '1', '-P', '100', '-d', String(bytes), '--csv'];
  const run = (test: string, requests: number) =>
    promisify(execFile)('redis-benchmark', [...common, '-n', String(requests), '-t', test], { timeout: 60_000 });
  await run('set', 100);
  const { stdout } = await run('get', benchmarkRequests);
  const rate = Number(/"GET","([\d.]+)"/.exec(stdout)?.[1]);
  if (!(rate > 0)) throw new Error(`redis-benchmark said ${stdout.slice(0, 200)}`);
  return rate;
}
