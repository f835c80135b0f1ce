import type { ICustomPartitioner, PartitionerArgs } from 'kafkajs';

/**
 * The partition that Java's clients choose for a key (murmur2), as the driver's own partitioner does: that one counts in
 * BigInts, an eighth of all that a produce takes. A record without a key goes to the next partition in turn.
 */
export const javaPartitioner: ICustomPartitioner = () => {
  let turn = 0;
  return ({ partitionMetadata: { length }, message: { key } }: PartitionerArgs) => {
    if (key === null || key === undefined) return turn++ % length;
    return (murmur2(Buffer.isBuffer(key) ? key : Buffer.from(key)) & 0x7fff_ffff) % length;
  };
};

const seed = 0x9747_b28c;
const mix = 0x5bd1_e995;

function murmur2(bytes: Buffer): number {
  const { length } = bytes;
  const whole = length & ~3;
  let hash = seed ^ length;
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), mix);
    word = Math.imul(word ^ (word >>> 24), mix);
    hash = Math.imul(hash, mix) ^ word;
  }
  if (whole < length) {
    for (let at = length - 1; at >= whole; at -= 1) hash ^= (bytes[at] ?? 0) << (8 * (at - whole));
    hash = Math.imul(hash, mix);
  }
  hash = Math.imul(hash ^ (hash >>> 13), mix);
  return hash ^ (hash >>> 15);
}
