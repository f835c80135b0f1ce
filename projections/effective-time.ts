import type { RecordedEvent } from '../schemas/envelope.ts';

/**
 * When a fact happened: its own time, else when it was recorded. Null for a fact of backfilled history whose time nobody
 * knows: the moment of the import would be an invention.
 */
export function effectiveTime({
  occurredAt,
  recordedAt,
  origin,
}: Pick<RecordedEvent, 'occurredAt' | 'recordedAt' | 'origin'>): string | null {
  return occurredAt ?? (origin === 'live' ? recordedAt : null);
}
