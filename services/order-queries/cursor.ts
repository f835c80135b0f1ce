import { createHmac, timingSafeEqual } from 'node:crypto';

/** Where a page ended: the last row's order value and key. */
export type PageEnd = { readonly value: string; readonly key: string };

export type Cursors = {
  write(end: PageEnd, question: string): string;
  /** null: not one of ours, or of another question. */
  read(cursor: string, question: string): PageEnd | null;
};

const cursorLengthMax = 1_024;
const macBytes = 16;

/** Opaque cursors: a page's end under a MAC that also covers the question (tenant and filters), so that none can be made up or carried over. */
export function openCursors(secret: string): Cursors {
  const macOf = (payload: Buffer, question: string): Buffer =>
    createHmac('sha256', secret).update(payload).update('\0').update(question).digest().subarray(0, macBytes);
  return {
    write: ({ value, key }, question) => {
      const payload = Buffer.from(JSON.stringify([value, key]));
      return Buffer.concat([macOf(payload, question), payload]).toString('base64url');
    },
    read: (cursor, question) => {
      if (cursor.length > cursorLengthMax) return null;
      const bytes = Buffer.from(cursor, 'base64url');
      const payload = bytes.subarray(macBytes);
      // Base64 has several texts for the same bytes: only ours counts.
      if (payload.length === 0 || bytes.toString('base64url') !== cursor) return null;
      if (!timingSafeEqual(bytes.subarray(0, macBytes), macOf(payload, question))) return null;
      const [value, key] = JSON.parse(payload.toString()) as readonly [string, string];
      return { value, key };
    },
  };
}
