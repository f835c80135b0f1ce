/** CRC-64-AVRO, the Rabin fingerprint of the Avro specification, eight bytes little-endian. */
const empty = 0xc15d213aa4d7a795n;

const table = Array.from({ length: 256 }, (_, index) => {
  let fingerprint = BigInt(index);
  for (let bit = 0; bit < 8; bit += 1) fingerprint = (fingerprint >> 1n) ^ (empty & -(fingerprint & 1n));
  return BigInt.asUintN(64, fingerprint);
});

/** @param canonical the schema's Parsing Canonical Form */
export function crc64Avro(canonical: string): Buffer {
  let fingerprint = empty;
  for (const byte of Buffer.from(canonical, 'utf8')) {
    fingerprint = (fingerprint >> 8n) ^ (table[Number((fingerprint ^ BigInt(byte)) & 0xffn)] ?? 0n);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(fingerprint);
  return bytes;
}
