const shape = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-](0\d|1[0-5]):[0-5]\d)$/;

const earliestMs = Date.parse('0001-01-01T00:00:00.000Z');
const latestMs = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Whether a text is a moment in RFC 3339 form, with its offset and on a day that exists: what a store can hold and read
 * back. Years 0001 to 9999, as written and in UTC: the offset may lead out of them. Offsets to ±15:59, Postgres' widest;
 * no leap second, since neither JavaScript nor Postgres keeps one.
 */
export function isIsoTime(text: string): boolean {
  const day = shape.exec(text)?.[1];
  if (day === undefined || day.startsWith('0000')) return false;
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return false;
  const momentMs = Date.parse(text);
  return momentMs >= earliestMs && momentMs <= latestMs;
}
