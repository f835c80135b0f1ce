import { decodeEventRecord } from '../../../schemas/wire/event-record.ts';
import type { UnreadableCode } from '../../../schemas/wire/unreadable.ts';
import type { WireSchemas } from '../../../schemas/wire/wire-schemas.ts';
import type { RecordedEvent } from '../../../schemas/envelope.ts';
import type { IncomingRecord } from '../../kafka/port.ts';

export type ReadRecords = {
  readonly events: readonly RecordedEvent[];
  /** What is no event of this store, with the first record of each kind. Nobody waits for it. */
  readonly passedOver: readonly PassedOver[];
};

/** `FOREIGN_EPOCH`: of another store, or of this one before it was adopted; the relay publishes what still holds. */
export type PassedOver = {
  readonly code: UnreadableCode | 'FOREIGN_EPOCH';
  readonly records: number;
  readonly firstOffset: number;
};

export function readRecords(records: readonly IncomingRecord[], epoch: string, schemas: WireSchemas): ReadRecords {
  const events: RecordedEvent[] = [];
  const passedOver = new Map<PassedOver['code'], PassedOver>();
  for (const record of records) {
    const read = decodeEventRecord(record, schemas);
    if (read.kind === 'event' && read.epoch === epoch) {
      events.push(read.event);
      continue;
    }
    const code = read.kind === 'event' ? 'FOREIGN_EPOCH' : read.code;
    const { records: before = 0, firstOffset = record.offset } = passedOver.get(code) ?? {};
    passedOver.set(code, { code, records: before + 1, firstOffset });
  }
  return { events, passedOver: [...passedOver.values()] };
}
