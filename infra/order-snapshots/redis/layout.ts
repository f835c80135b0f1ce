import type { Checkpoint } from '../../event-feed/port.ts';
import type { OrderId, TenantId } from '../../../schemas/ids.ts';
import type { OrderSnapshot, SnapshotTier, WriterMark } from '../port.ts';

/**
 * What Redis holds. A snapshot is a few header bytes and the body, so that a reader slices instead of parsing:
 *
 *     byte 0      tier (0 fill, 1 unpaid, 2 in progress, 3 fulfilled), + 128 where the order is parked
 *     bytes 1-4   version, big-endian
 *     byte 5      length of the event's time
 *     then        the event's time, ASCII; the body, UTF-8 JSON
 *
 * The number in the prefix changes with the layout, so that two versions of this program never read each other's.
 */
export const defaultPrefix = 'order-center:1:';

const headerBytes = 6;
const parkedBit = 0x80;
const tiers: readonly SnapshotTier[] = ['fill', 'unpaid', 'in-progress', 'fulfilled'];

export type Keys = {
  /** Holds how far the writer went: see WriterMark. */
  readonly mark: string;
  order(tenantId: TenantId, orderId: OrderId): string;
  /** null: not a snapshot's key. */
  parse(key: string): { readonly tenantId: TenantId; readonly orderId: OrderId } | null;
  /** Matches every snapshot's key, for SCAN. */
  readonly orders: string;
};

export function keysUnder(prefix: string): Keys {
  const orders = `${prefix}order:`;
  return {
    mark: `${prefix}writer`,
    order: (tenantId, orderId) => `${orders}${tenantId}:${orderId}`,
    parse: (key) => {
      if (!key.startsWith(orders)) return null;
      const end = key.indexOf(':', orders.length);
      if (end === -1) return null;
      return { tenantId: key.slice(orders.length, end) as TenantId, orderId: key.slice(end + 1) as OrderId };
    },
    orders: `${orders.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}*`,
  };
}

export function encode({ version, eventTime, parked, body }: OrderSnapshot, tier: SnapshotTier): Buffer {
  const bodyStart = headerBytes + eventTime.length;
  const value = Buffer.allocUnsafe(bodyStart + body.length);
  value[0] = tiers.indexOf(tier) + (parked ? parkedBit : 0);
  value.writeUInt32BE(version, 1);
  value.writeUInt8(eventTime.length, 5);
  value.write(eventTime, headerBytes, 'latin1');
  body.copy(value, bodyStart);
  return value;
}

/** The body is a slice of the value. null: nothing there, or nothing of ours. */
export function decode(value: Buffer | null): OrderSnapshot | null {
  const bodyStart = value === null ? 0 : headerBytes + (value[5] ?? 0);
  if (value === null || value.length <= bodyStart) return null;
  return {
    version: value.readUInt32BE(1),
    eventTime: value.toString('latin1', headerBytes, bodyStart),
    parked: (value[0] ?? 0) >= parkedBit,
    body: value.subarray(bodyStart),
  };
}

export function tierOf(value: Buffer): SnapshotTier {
  return tiers[(value[0] ?? 0) % parkedBit] ?? 'fill';
}

/** `token` is another one at each write, so that no two states of the cache have the same mark. */
export function encodeMark(mark: WriterMark | null, token: string): string {
  return `${mark?.epoch ?? ''}\n${mark?.checkpoint ?? ''}\n${token}`;
}

export function decodeMark(text: string): WriterMark | null {
  const [epoch = '', checkpoint = ''] = text.split('\n');
  return epoch === '' || checkpoint === '' ? null : { epoch, checkpoint: checkpoint as Checkpoint };
}
