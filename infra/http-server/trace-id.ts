import { randomFillSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** W3C Trace Context, version 00: the caller's trace id, unless it is all zeros. */
const traceparent = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

const idBytes = 16;
/** Filled at once: one call into the kernel's randomness for 256 ids instead of one each. */
const pool = Buffer.alloc(idBytes * 256);
let used = pool.length;

/** The trace id of a request: from `traceparent` where that is valid, else 16 random bytes in hex. */
export function traceIdOf(request: IncomingMessage): string {
  const given = request.headers.traceparent;
  return traceIdFrom(typeof given === 'string' ? given : undefined);
}

/** The trace id of anything that came with a `traceparent`, or with none. */
export function traceIdFrom(given: string | undefined): string {
  return traceparent.exec(given ?? '')?.[1] ?? newTraceId();
}

export function newTraceId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += idBytes;
  return pool.toString('hex', used - idBytes, used);
}
