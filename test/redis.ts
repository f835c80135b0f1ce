import { randomUUID } from 'node:crypto';
import { describe, inject, it } from 'vitest';

/** `describe`, or one skipped test with the reason where no Redis can be had. */
export function describeWithRedis(name: string, suite: () => void): void {
  skipWithout(inject('redisMissing'), name, suite);
}

/** For suites that start, stop and kill servers of their own. */
export function describeWithRedisServer(name: string, suite: () => void): void {
  skipWithout(inject('redisServerMissing'), name, suite);
}

/** Of keys that no other test has, on the run's Redis. */
export function freshPrefix(): string {
  return `test-${randomUUID()}:`;
}

/** For tests that are not about timeouts: a busy machine must not look like a Redis that is down. */
export const patience = { readTimeoutMs: 5_000, writeTimeoutMs: 5_000 } as const;

function skipWithout(missing: string, name: string, suite: () => void): void {
  if (missing === '') describe(name, suite);
  else describe(name, () => it('needs a Redis', (context) => context.skip(missing)));
}
