import { snapshotsUnavailable } from '../unavailable.ts';
import type { RedisConnection } from './connection.ts';

export type ReadTogether<Value> = {
  /** In the keys' order. */
  read(keys: readonly string[]): Promise<readonly (Value | null)[]>;
  /** Keys that are waited for. */
  outstanding(): number;
};

/** Keys of one MGET: enough that a round trip costs little, so few that one answer does not hold up the others. */
const keysPerCallMax = 200;

/** Keys waited for at once; beyond, a read fails at once, and its caller has another way. */
const outstandingMax = 10_000;

type Waiting<Value> = {
  readonly keys: readonly string[];
  readonly resolve: (values: readonly (Value | null)[]) => void;
  readonly reject: (error: unknown) => void;
};

type Decode<Value> = (bytes: Buffer | null) => Value | null;

/** Answers the reads of one turn of the event loop with one MGET: a hundred readers cost hardly more than one. */
export function readTogether<Value>(connection: RedisConnection, decode: Decode<Value>): ReadTogether<Value> {
  let waiting: Waiting<Value>[] = [];
  let outstanding = 0;
  const send = async (): Promise<void> => {
    const turn = waiting;
    waiting = [];
    const keys = turn.flatMap((call) => call.keys);
    try {
      answer(turn, await valuesOf(connection, keys), decode);
    } catch (error) {
      for (const { reject } of turn) reject(error);
    } finally {
      outstanding -= keys.length;
    }
  };
  return {
    read: (keys) => {
      if (keys.length === 0) return Promise.resolve([]);
      if (!connection.isUp()) return Promise.reject(snapshotsUnavailable('Redis is down'));
      if (outstanding + keys.length > outstandingMax) {
        return Promise.reject(snapshotsUnavailable(`${outstanding} reads are waiting`));
      }
      outstanding += keys.length;
      return new Promise((resolve, reject) => {
        if (waiting.length === 0) setImmediate(() => void send());
        waiting.push({ keys, resolve, reject });
      });
    },
    outstanding: () => outstanding,
  };
}

async function valuesOf(connection: RedisConnection, keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
  const calls: Promise<(Buffer | null)[]>[] = [];
  for (let start = 0; start < keys.length; start += keysPerCallMax) {
    const part = keys.slice(start, start + keysPerCallMax);
    calls.push(connection.call((redis) => redis.mgetBuffer(part)));
  }
  return (await Promise.all(calls)).flat();
}

function answer<Value>(
  turn: readonly Waiting<Value>[],
  values: readonly (Buffer | null)[],
  decode: Decode<Value>,
): void {
  let at = 0;
  for (const { keys, resolve } of turn) {
    const own: (Value | null)[] = [];
    for (const end = at + keys.length; at < end; at += 1) own.push(decode(values[at] ?? null));
    resolve(own);
  }
}
