import type { Backlog, BacklogQuery, LogPage, LogQuery, Position, RecordedEvent, StreamSlice } from '../port.ts';
import { toPlace, toPosition } from '../position.ts';
import { categoryOf } from '../../../schemas/ids.ts';
import { OperationalFailure } from '../../failures.ts';
import type { MemoryLog } from './memory-log.ts';

export function readStreamOf(log: MemoryLog, slice: StreamSlice): readonly RecordedEvent[] {
  const { stream, fromRevision = 0, limit = 10_000 } = slice;
  return (log.streams.get(stream) ?? []).slice(fromRevision, fromRevision + limit);
}

export function readLogOf(log: MemoryLog, query: LogQuery): LogPage {
  const events: RecordedEvent[] = [];
  const isWanted = filterOf(query);
  let next = query.after === null ? 0 : ordinalOf(log, query.after) + 1;
  while (next < log.events.length && events.length < query.limit) {
    const event = log.events[next];
    if (event !== undefined && isWanted(event)) events.push(event);
    next += 1;
  }
  const checkpoint = next === 0 ? query.after : toPosition(log.epoch, { tx: 0n, ordinal: next - 1 });
  return { events, checkpoint, atEnd: next === log.events.length };
}

export function backlogOf(log: MemoryLog, query: BacklogQuery): Backlog {
  const { events } = readLogOf(log, { ...query, limit: log.eventsMax });
  const [oldest] = events;
  const oldestAgeMs = oldest === undefined ? 0 : Math.max(0, log.now().getTime() - Date.parse(oldest.recordedAt));
  return { events: events.length, oldestAgeMs };
}

export function headOfLog(log: MemoryLog): Position | null {
  return log.events.at(-1)?.position ?? null;
}

/** @throws OperationalFailure FOREIGN_STORE where this log never gave that position */
function ordinalOf(log: MemoryLog, position: Position): number {
  const { tx, ordinal } = toPlace(log.epoch, position);
  if (tx === 0n && ordinal < log.events.length) return ordinal;
  throw new OperationalFailure('FOREIGN_STORE', `position ${position} lies beyond the head`, { retryable: false });
}

function filterOf({ categories, types, recordedFrom, recordedTo }: LogQuery): (event: RecordedEvent) => boolean {
  const from = recordedFrom === undefined ? -Infinity : Date.parse(recordedFrom);
  const to = recordedTo === undefined ? Infinity : Date.parse(recordedTo);
  return (event) => {
    if (categories?.includes(categoryOf(event.stream)) === false) return false;
    if (types?.includes(event.type) === false) return false;
    const recordedAt = Date.parse(event.recordedAt);
    return recordedAt >= from && recordedAt < to;
  };
}
