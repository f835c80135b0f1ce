import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { keepLeases, type LeaseTimes } from './keep-leases.ts';
import { openMemoryLeaseTable } from './memory/memory-lease-table.ts';
import type { Leases } from './port.ts';
import { openPostgresLeaseTable } from './postgres/postgres-lease-table.ts';

export type OpenLeasesOptions = {
  /** Of this process; a new one if absent. */
  readonly owner?: string;
  /** An owner that is known to be dead, as this process before its crash: what it held is free at once. */
  readonly former?: string | null;
  readonly times?: LeaseTimes;
};

/** The URL's scheme chooses the adapter: `postgres://…` or `memory:`. */
export async function openLeases(url: string, options: OpenLeasesOptions = {}): Promise<Leases> {
  const { owner = newLeaseOwner(), former = null, times } = options;
  const table = url.startsWith('memory:') ? openMemoryLeaseTable() : await openPostgresLeaseTable(url);
  if (former !== null) await table.releaseOwner(former);
  return keepLeases(table, owner, times);
}

/** Random, so that no two processes ever take each other's leases for their own; with what an operator looks for. */
export function newLeaseOwner(): string {
  return `${hostname()}:${process.pid}:${randomUUID()}`;
}
