import type { AvroWriter } from '../avro/writer.ts';
import { unreadable, type Unreadable } from './unreadable.ts';

/**
 * What stands before an Avro body. `fingerprint`: single-object encoding (C3 01, CRC-64-AVRO little-endian), which needs no
 * registry. `schemaId`: Confluent's wire format (00, the registry's id in four bytes big-endian).
 */
export type Frame =
  | { readonly kind: 'single-object'; readonly fingerprint: string; readonly body: Buffer }
  | { readonly kind: 'registered'; readonly schemaId: number; readonly body: Buffer };

/** No honest record comes near: the store refuses events above 256 KiB, the HTTP doors bodies above 1 MiB. */
export const valueBytesMax = 1 << 20;

const singleObject = Buffer.from([0xc3, 0x01]);
const singleObjectBytes = singleObject.length + 8;
const registeredBytes = 1 + 4;

export function frameOf(value: Buffer | null | undefined): Frame | Unreadable {
  if (value === null || value === undefined) return unreadable('VALUE_MISSING');
  if (value.length > valueBytesMax) return unreadable('VALUE_TOO_LARGE');
  if (value[0] === 0 && value.length >= registeredBytes) {
    return { kind: 'registered', schemaId: value.readUInt32BE(1), body: value.subarray(registeredBytes) };
  }
  if (value.length >= singleObjectBytes && value.subarray(0, 2).equals(singleObject)) {
    const fingerprint = value.toString('hex', singleObject.length, singleObjectBytes);
    return { kind: 'single-object', fingerprint, body: value.subarray(singleObjectBytes) };
  }
  return unreadable('FRAME_UNKNOWN');
}

/** @param schemaId the registry's id of the writer's schema; undefined: there is no registry */
export function frameHead(writer: AvroWriter, schemaId: number | undefined): Buffer {
  if (schemaId === undefined) return Buffer.concat([singleObject, writer.fingerprint]);
  const head = Buffer.alloc(registeredBytes);
  head.writeUInt32BE(schemaId, 1);
  return head;
}
