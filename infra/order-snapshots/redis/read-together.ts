import { snapshotsUnavailable } from '../unavailable.ts';
import type { RedisConnection } from './connection.ts';

export type ReadTogether = {
  /** In the keys' order. */
  read(keys: readonly string[]): Promise<readonly (Buffer | null)[]>;
  /** Keys that are waited for. */
  outstanding(): number;
};

/** Keys of one MGET: enough that a round trip costs little, so few that one answer does not hold up the others. */
const keysPerCallMax = 200;

/** Keys waited for at once; beyond, a read fails at once, and its caller has another way. */
const outstandingMax = 10_000;

type Waiting = {
  readonly keys: readonly string[];
  readonly resolve: (values: readonly (Buffer | null)[]) => void;
  readonly reject: (error: unknown) => void;
};

/** Answers the reads of one turn of the event loop with one MGET: a hundred readers cost hardly more than one. */
export function readTogether(connection: RedisConnection): ReadTogether {
  let waiting: Waiting[] = [];
  let outstanding = 0;
  const send = (): void => {
    const turn = waiting;
    waiting = [];
    void answer(connection, turn).finally(() => {
      for (const { keys } of turn) outstanding -= keys.length;
    });
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
        if (waiting.length === 0) setImmediate(send);
        waiting.push({ keys, resolve, reject });
      });
    },
    outstanding: () => outstanding,
  };
}

async function answer(connection: RedisConnection, turn: readonly Waiting[]): Promise<void> {
  try {
    const keys = turn.flatMap((call) => call.keys);
    const calls: Promise<(Buffer | null)[]>[] = [];
    for (let start = 0; start < keys.length; start += keysPerCallMax) {
      const part = keys.slice(start, start + keysPerCallMax);
      calls.push(connection.call((redis) => redis.mgetBuffer(part)));
    }
    const values = (await Promise.all(calls)).flat();
    let at = 0;
    for (const call of turn) {
      call.resolve(values.slice(at, at + call.keys.length));
      at += call.keys.length;
    }
  } catch (error) {
    for (const { reject } of turn) reject(error);
  }
}
