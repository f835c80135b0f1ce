import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { OrderSnapshot, SnapshotTier, SnapshotWrite } from './port.ts';

/** For tests. */
export const tenantId = 'shop' as TenantId;
export const orderId = 'order' as OrderId;

export function aSnapshot(version: number, body = '{}'): OrderSnapshot {
  return { version, eventTime: '2026-01-01T00:00:00.000Z', parked: false, body: Buffer.from(body) };
}

export function write(version: number, tier: SnapshotTier, changes: Partial<SnapshotWrite> = {}): SnapshotWrite {
  return { tenantId, orderId, snapshot: aSnapshot(version, `{"by":"${tier}"}`), tier, ...changes };
}

export function idAndVersion({ tenantId: tenant, orderId: order, snapshot }: SnapshotWrite): string {
  return `${tenant} ${order} ${snapshot.version}`;
}
