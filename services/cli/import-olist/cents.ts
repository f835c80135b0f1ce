/**
 * A decimal text as integer minor units of a currency with two places: `199.9` → 19990. Exact: no float arithmetic.
 * @returns null where it is not such an amount
 */
export function toCents(text: string): number | null {
  const match = /^(\d{1,13})(?:\.(\d{1,2})0*)?$/.exec(text);
  if (match === null) return null;
  const [, whole = '', fraction = ''] = match;
  return Number(`${whole}${fraction.padEnd(2, '0')}`);
}
