import { leaveOutNulls } from '../avro/absent-nulls.ts';
import { readBody } from '../avro/writer.ts';
import type { CommandOutcome } from '../generated/messages.ts';
import type { TenantId } from '../ids.ts';
import { allOutcomeWriters, outcomeWriter } from '../message-writers.ts';
import { frameHead, frameOf } from './frame.ts';
import type { ReceivedRecord, WireRecord } from './record.ts';
import { unreadable, type Unreadable } from './unreadable.ts';
import { noRegistry, type WireSchemas } from './wire-schemas.ts';

export const outcomeTopic = 'order.command-outcomes';

export type ReadOutcome = { readonly kind: 'outcome'; readonly outcome: CommandOutcome };

const writerByFingerprint = new Map(allOutcomeWriters.map((writer) => [writer.fingerprint.toString('hex'), writer]));

/** The same bytes for the same outcome: a redelivery tells it again, it does not tell another. */
export function encodeOutcomeRecord(
  outcome: CommandOutcome,
  tenantId: TenantId,
  schemas: WireSchemas = noRegistry,
): WireRecord<typeof outcomeTopic> {
  const writer = outcomeWriter();
  return {
    topic: outcomeTopic,
    key: outcome.orderId,
    value: Buffer.concat([frameHead(writer, schemas.idOf(writer)), writer.type.toBuffer(outcome)]),
    headers: { 'content-type': 'application/avro', 'command-id': outcome.commandId, 'tenant-id': tenantId },
  };
}

/** As a publisher of commands reads what became of them. */
export function decodeOutcomeRecord(
  record: ReceivedRecord,
  schemas: WireSchemas = noRegistry,
): ReadOutcome | Unreadable {
  const frame = frameOf(record.value);
  if (frame.kind === 'unreadable') return frame;
  const writer =
    frame.kind === 'single-object' ? writerByFingerprint.get(frame.fingerprint) : schemas.byId(frame.schemaId);
  if (writer === undefined) return unreadable('SCHEMA_UNKNOWN');
  const reader = outcomeWriter();
  const read = readBody(frame.body, writer, reader);
  if (read.kind === 'fault') return unreadable(read.code);
  // The schema made sure of the shape.
  return { kind: 'outcome', outcome: leaveOutNulls(reader.type, read.data) as CommandOutcome };
}
