import { appendOf } from '../append/placements.ts';
import { importPeer } from './install.ts';
import { peerConnectionsMax, type OpenPeer } from './peer.ts';

type Sql = { end(): Promise<void> };
type Postgres = {
  readonly default: (url: string, options: { readonly max: number; readonly onnotice: () => void }) => Sql;
};
type StoredEvent = {
  readonly stream: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly event: object;
  readonly timestamp: Date;
};
type Options = { readonly sql: Sql; readonly events: string; readonly bookmarks: string };
type Provider = {
  readonly createProvider: (options: Options) => {
    append(stream: string, id: string, version: number, events: readonly StoredEvent[]): Promise<unknown>;
  };
  readonly migrate: (options: Options) => Promise<void>;
};

const tables = { events: 'events', bookmarks: 'bookmarks' };

/** evtstore on Postgres.js, the faster of its two Postgres providers: `append` of a new aggregate. */
export const openEvtstore: OpenPeer = async (url) => {
  const { default: postgres } = await importPeer<Postgres>('postgres');
  const { createProvider, migrate } = await importPeer<Provider>('evtstore/provider/postgres');
  const sql = postgres(url, { max: peerConnectionsMax, onnotice: () => undefined });
  await migrate({ sql, ...tables });
  const provider = createProvider({ sql, ...tables });
  return {
    append: async (placement) => {
      const { stream, events } = appendOf(placement);
      const rows = events.map(({ type, data }, index) => ({
        ...{ stream: 'orders', aggregateId: stream, version: index + 1 },
        ...{ event: { type, ...data }, timestamp: new Date() },
      }));
      await provider.append('orders', stream, 0, rows);
    },
    close: () => sql.end(),
  };
};
