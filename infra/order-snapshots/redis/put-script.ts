import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { snapshotLifeMs, markLifeMs } from '../lives.ts';
import type { SnapshotWrite } from '../port.ts';
import { encode, type Keys } from './layout.ts';

/** The mark that must be there, and the one that follows it. */
export type Fence = { readonly expected: string; readonly next: string };

/**
 * Sets each order's value unless what is there is newer, and moves the mark; changes nothing where the mark is another
 * one than expected. It looks at a few bytes of what is there, and is the same when it runs twice. The mark comes last:
 * Redis does not undo what a script did before its error.
 *
 * KEYS: the mark, then the orders. ARGV: '' or 'fenced', the mark expected, the next mark, the mark's life in ms, then
 * a value and its life for each order. Returns how many were refused; -1: the mark is another one.
 */
const lua = `
local function version(value)
  local a, b, c, d = string.byte(value, 2, 5)
  return ((a * 256 + b) * 256 + c) * 256 + d
end
local isFenced = ARGV[1] == 'fenced'
if isFenced and (redis.call('GET', KEYS[1]) or '') ~= ARGV[2] then return -1 end
local refused = 0
for i = 2, #KEYS do
  local value = ARGV[2 * i + 1]
  local known = redis.call('GETRANGE', KEYS[i], 0, 4)
  local difference = 1
  if #known == 5 then difference = version(value) - version(known) end
  local isFill = string.byte(value) % 128 == 0
  if difference < 0 or (difference == 0 and isFill) then
    refused = refused + 1
  else
    redis.call('SET', KEYS[i], value, 'PX', ARGV[2 * i + 2])
  end
end
if isFenced then redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) end
return refused
`;

const sha = createHash('sha1').update(lua).digest('hex');

/** @returns how many were refused as stale; null: the mark is another one than expected, and nothing was written */
export async function putGuarded(
  redis: Redis,
  keys: Keys,
  { writes, fence }: { readonly writes: readonly SnapshotWrite[]; readonly fence: Fence | null },
): Promise<number | null> {
  const names = [keys.mark, ...writes.map(({ tenantId, orderId }) => keys.order(tenantId, orderId))];
  const guard = fence === null ? ['', '', ''] : ['fenced', fence.expected, fence.next];
  const values = writes.flatMap(({ snapshot, tier }) => [encode(snapshot, tier), snapshotLifeMs[tier]]);
  const run = (): Promise<unknown> => redis.evalsha(sha, names.length, ...names, ...guard, markLifeMs, ...values);
  const refused = await run().catch(async (error: unknown) => {
    if (!isUnknownScript(error)) throw error;
    // A server that was restarted, or took another's place, does not know it.
    await redis.script('LOAD', lua);
    return run();
  });
  if (typeof refused !== 'number') throw new Error('the script answered with something else than a number');
  return refused < 0 ? null : refused;
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
