import { leaveOutNulls } from '../avro/absent-nulls.ts';
import { readBody, type AvroWriter } from '../avro/writer.ts';
import type { CommandMessage } from '../generated/messages.ts';
import { orderIdOf, parseCommandId, parseOrderId, parseTenantId } from '../ids.ts';
import type { CommandId, OrderId, TenantId } from '../ids.ts';
import { allCommandWriters, commandReader, commandWriter } from '../message-writers.ts';
import { frameHead, frameOf, type Frame } from './frame.ts';
import { headerText, keyText, type ReceivedRecord, type WireRecord } from './record.ts';
import { unreadable, type Unreadable } from './unreadable.ts';
import { noRegistry, type WireSchemas } from './wire-schemas.ts';

export const commandTopic = 'order.commands';

/** A tenant that names none, on Kafka as on HTTP. */
const tenantByDefault = 'default' as TenantId;

/** Whose command it is, and for which order: what stands outside of the payload, as on HTTP in path and headers. */
export type CommandEnvelope = {
  readonly tenantId: TenantId;
  readonly commandId: CommandId;
  /** The record's key; of a placement it follows from tenant and command id. */
  readonly orderId: OrderId;
};

/**
 * A command as its publisher meant it. The payload has the JSON shape of the HTTP body, what was left out is left out, so
 * it has the same hash; whether its values are possible is asked by the same rules as on HTTP.
 */
export type ReadCommand = CommandEnvelope & { readonly kind: 'command'; readonly message: CommandMessage };

const writerByFingerprint = new Map(allCommandWriters.map((writer) => [writer.fingerprint.toString('hex'), writer]));

/** As a publisher does. @throws Error where the payload does not fit its schema */
export function encodeCommandRecord(
  message: CommandMessage,
  envelope: CommandEnvelope,
  schemas: WireSchemas = noRegistry,
): WireRecord<typeof commandTopic> {
  const writer = commandWriter(message.type);
  return {
    topic: commandTopic,
    key: envelope.orderId,
    value: Buffer.concat([frameHead(writer, schemas.idOf(writer)), writer.type.toBuffer(message.payload)]),
    headers: {
      'content-type': 'application/avro',
      'command-id': envelope.commandId,
      'tenant-id': envelope.tenantId,
    },
  };
}

export function decodeCommandRecord(
  record: ReceivedRecord,
  schemas: WireSchemas = noRegistry,
): ReadCommand | Unreadable {
  const caller = readCaller(record);
  if (caller.kind === 'unreadable') return caller;
  const frame = frameOf(record.value);
  if (frame.kind === 'unreadable') return frame;
  const writer = writerOf(frame, schemas);
  if (writer === undefined) return unreadable('SCHEMA_UNKNOWN');
  const reader = commandReader(writer.fullName);
  if (reader === undefined) return unreadable('SCHEMA_INCOMPATIBLE');
  const { tenantId, commandId, orderId } = caller;
  const { type } = reader.row;
  const starts = type === 'PlaceOrder' || type === 'BackfillOrder';
  if (starts && orderId !== orderIdOf(tenantId, commandId)) return unreadable('KEY_FOREIGN');
  const read = readBody(frame.body, writer, reader);
  if (read.kind === 'fault') return unreadable(read.code);
  // The schema made sure of the shape.
  const message = { type, payload: leaveOutNulls(reader.type, read.data) } as CommandMessage;
  return { kind: 'command', tenantId, commandId, orderId, message };
}

type Caller = CommandEnvelope & { readonly kind: 'caller' };

function readCaller(record: ReceivedRecord): Caller | Unreadable {
  const commandText = headerText(record, 'command-id');
  if (commandText === null) return unreadable('HEADER_MISSING', 'command-id');
  const commandId = parseCommandId(commandText ?? '');
  if (commandId === null) return unreadable('HEADER_INVALID', 'command-id');
  const tenantText = headerText(record, 'tenant-id');
  const tenantId = tenantText === null ? tenantByDefault : parseTenantId(tenantText ?? '');
  if (tenantId === null) return unreadable('HEADER_INVALID', 'tenant-id');
  const key = keyText(record);
  if (key === null) return unreadable('KEY_MISSING');
  // To the letter: another spelling of the same id would go to another partition, beside the order's own.
  const orderId = parseOrderId(key ?? '');
  if (orderId === null || orderId !== key) return unreadable('KEY_FOREIGN');
  return { kind: 'caller', tenantId, commandId, orderId };
}

function writerOf(frame: Frame, schemas: WireSchemas): AvroWriter | undefined {
  return frame.kind === 'single-object' ? writerByFingerprint.get(frame.fingerprint) : schemas.byId(frame.schemaId);
}
