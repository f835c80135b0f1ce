import type { Holding, LeaseTable } from '../port.ts';

type Row = { readonly token: number; readonly owner: string; readonly endsAt: number };

/** Leases among the parts of one process: for `memory:` stores and tests. */
export function openMemoryLeaseTable(now: () => number = () => performance.now()): LeaseTable {
  const rows = new Map<string, Row>();
  const heldBy = ({ name, token }: Holding): Row | null => {
    const row = rows.get(name);
    return row?.token === token ? row : null;
  };
  const end = (name: string, row: Row): void => void rows.set(name, { ...row, endsAt: -Infinity });
  return {
    acquire: ({ name, owner, ttlMs }) => {
      const row = rows.get(name);
      if (row !== undefined && row.endsAt > now()) return Promise.resolve(null);
      const token = (row?.token ?? 0) + 1;
      rows.set(name, { token, owner, endsAt: now() + ttlMs });
      return Promise.resolve(token);
    },
    renew: (holdings, ttlMs) => {
      const kept = new Set<string>();
      for (const holding of holdings) {
        const row = heldBy(holding);
        if (row === null) continue;
        rows.set(holding.name, { ...row, endsAt: now() + ttlMs });
        kept.add(holding.name);
      }
      return Promise.resolve(kept);
    },
    release: (holdings) => {
      for (const holding of holdings) {
        const row = heldBy(holding);
        if (row !== null) end(holding.name, row);
      }
      return Promise.resolve();
    },
    releaseOwner: (owner) => {
      for (const [name, row] of rows) if (row.owner === owner) end(name, row);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
