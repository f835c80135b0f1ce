import type { Redis } from 'ioredis';
import type { StoredSnapshot } from '../port.ts';
import type { RedisConnection } from './connection.ts';
import { decode, tierOf, type Keys } from './layout.ts';

/** Keys that one step of a walk looks at. */
const stepKeys = 500;

/** Every snapshot's key, some perhaps twice, in steps that hold nobody up. */
async function* pagesOfKeys(connection: RedisConnection, keys: Keys): AsyncGenerator<readonly string[]> {
  let cursor = '0';
  do {
    const from = cursor;
    const [next, found] = await connection.call((redis) => redis.scan(from, 'MATCH', keys.orders, 'COUNT', stepKeys));
    if (found.length > 0) yield found;
    cursor = next;
  } while (cursor !== '0');
}

export async function* walk(connection: RedisConnection, keys: Keys): AsyncGenerator<StoredSnapshot> {
  for await (const page of pagesOfKeys(connection, keys)) {
    const values = await connection.call((redis) => redis.mgetBuffer([...page]));
    const lives = await connection.call((redis) => livesOf(redis, page));
    for (const [index, key] of page.entries()) {
      const value = values[index] ?? null;
      const snapshot = decode(value);
      const order = keys.parse(key);
      const leftMs = lives[index] ?? goneLife;
      if (value === null || snapshot === null || order === null || leftMs === goneLife) continue;
      yield { ...order, snapshot, tier: tierOf(value), leftMs: leftMs === endlessLife ? null : leftMs };
    }
  }
}

export async function dropAll(connection: RedisConnection, keys: Keys): Promise<void> {
  await connection.call((redis) => redis.unlink(keys.mark));
  for await (const page of pagesOfKeys(connection, keys)) await connection.call((redis) => redis.unlink([...page]));
}

const endlessLife = -1;
const goneLife = -2;

function livesOf(redis: Redis, page: readonly string[]): Promise<readonly number[]> {
  return Promise.all(page.map((key) => redis.pttl(key)));
}
