const shape = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Whether a text is a moment in RFC 3339 form, with its offset and on a day that exists: what a store can hold. Years
 * 0001 to 9999; no leap second, since neither JavaScript nor Postgres keeps one.
 */
export function isIsoTime(text: string): boolean {
  const day = shape.exec(text)?.[1];
  if (day === undefined || day.startsWith('0000')) return false;
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
