/**
 * What no text may hold, checked at the edge of every door: NUL (Postgres has no place for it) and unpaired surrogates
 * (no UTF-8). Returns the JSON pointer of the first offending text, key or too deep place; null: all well.
 */
export const depthMax = 32;
export const keyLengthMax = 256;

export function findBadText(value: unknown, pointer = '', depth = 0): string | null {
  if (typeof value === 'string') return isCleanText(value) ? null : pointer;
  if (value === null || typeof value !== 'object') return null;
  if (depth >= depthMax) return pointer;
  for (const [key, member] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    const place = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (key.length > keyLengthMax || !isCleanText(key)) return pointer;
    const found = findBadText(member, place, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function isCleanText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}
