import { OperationalFailure } from '../../failures.ts';
import { holdsUnstorableText } from '../../unstorable-text.ts';
import type { Append } from '../port.ts';
import type { AppendRow } from './append-statement.ts';

/** An event above this is refused: no honest order comes near. */
export const eventBytesMax = 256 * 1024;

/** Postgres' timestamptz and ISO 8601 agree from year 1 to 9999. */
const timeMinMs = Date.parse('0001-01-01T00:00:00Z');
const timeMaxMs = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Refuses, before it can join a batch, what no row could hold.
 * @throws OperationalFailure EVENT_TOO_LARGE, POISON_VALUE (a time that is none, a text that no store can hold)
 */
export function toRow(append: Append): AppendRow {
  for (const { occurredAt } of append.events) {
    if (occurredAt != null && !isStorable(Date.parse(occurredAt))) {
      throw new OperationalFailure('POISON_VALUE', 'occurredAt is no time between the years 1 and 9999', {
        retryable: false,
      });
    }
  }
  const json = append.events.map(({ data }) => JSON.stringify(data));
  if (json.some(holdsUnstorableText)) {
    const detail = 'an event holds NUL or half a surrogate pair';
    throw new OperationalFailure('POISON_VALUE', detail, { retryable: false });
  }
  const sizes = json.map((text) => Buffer.byteLength(text));
  const largest = Math.max(...sizes);
  if (largest > eventBytesMax) {
    const detail = `an event of ${largest} bytes, at most ${eventBytesMax}`;
    throw new OperationalFailure('EVENT_TOO_LARGE', detail, { retryable: false });
  }
  return { append, json, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function isStorable(ms: number): boolean {
  return ms >= timeMinMs && ms <= timeMaxMs;
}
