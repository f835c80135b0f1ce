import { expect, vi } from 'vitest';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { snapshotWriter, type OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import {
  anOrderId,
  appendAll,
  booked,
  dispatched,
  paymentFact,
  placement,
  tenant,
} from '../../projections/examples.ts';
import { summaryBody } from '../../projections/order-summary/body.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { foldDocument } from '../../projections/projection.ts';
import { orderStream, type OrderId } from '../../schemas/ids.ts';
import { runSnapshotWriter, type RunSnapshotWriterOptions, type SnapshotWriterObserver } from './snapshot-writer.ts';

/** An event store, a read store and snapshots, with as many writers as a test starts. */
export type SnapshotWorld = {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly snapshots: OrderSnapshots;
  start(options?: Omit<Partial<RunSnapshotWriterOptions>, 'store'>): RunningWriter;
  /** The place that the writer kept. */
  checkpoint(): Promise<string | null>;
  /** Waits until the snapshot of each order is the fold of its stream, byte for byte. */
  equalsFold(ids: readonly OrderId[], within?: number): Promise<void>;
};

export type RunningWriter = {
  readonly began: readonly string[];
  readonly failures: readonly string[];
  stop(): Promise<void>;
};

export async function openSnapshotWorld(snapshots: OrderSnapshots): Promise<SnapshotWorld> {
  const store = openMemoryEventStore();
  const readStore = openMemoryReadStore();
  await readStore.prepare([orderSummary.view]);
  return {
    store,
    readStore,
    snapshots,
    start: (options = {}) => startWriter({ store, readStore, snapshots, ...options }),
    checkpoint: () => readStore.loadCheckpoint(snapshotWriter, 'log'),
    equalsFold: async (ids, timeout = 10_000) => {
      const folded = await Promise.all(ids.map((id) => foldOf(store, id)));
      const inCache = async (): Promise<readonly (string | null)[]> =>
        (await snapshots.get(tenant, ids)).map((found) => found && `${found.version} ${found.body.toString()}`);
      await vi.waitFor(async () => expect(await inCache()).toEqual(folded), { timeout, interval: 20 });
    },
  };
}

type Sources = Omit<Partial<RunSnapshotWriterOptions>, 'store'> &
  Pick<RunSnapshotWriterOptions, 'readStore' | 'snapshots'> & { readonly store: EventStore };

function startWriter({ store, ...options }: Sources): RunningWriter {
  const stopping = new AbortController();
  const began: string[] = [];
  const failures: string[] = [];
  const observe: SnapshotWriterObserver = {
    onBegin: (how) => void began.push(how),
    onFailure: ({ failure }) => void failures.push(failure.code),
  };
  const feed = openLogFeed(store, { pollMs: 20 });
  const running = runSnapshotWriter({ feed, store, observe, ...options, signal: stopping.signal });
  return {
    began,
    failures,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function foldOf(store: EventStore, id: OrderId): Promise<string | null> {
  const events = await store.readStream({ stream: orderStream(id) });
  const summary = foldDocument(orderSummary, events, { key: id, document: null });
  return summary && `${summary.version} ${summaryBody(summary)}`;
}

export function orderIds(name: string, count: number): readonly OrderId[] {
  return Array.from({ length: count }, (_, index) => anOrderId(`${name}-${index}`));
}

export async function placeAll(store: EventStore, ids: readonly OrderId[]): Promise<void> {
  for (const id of ids) await appendAll(store, [placement(id)]);
}

export async function payAll(store: EventStore, ids: readonly OrderId[]): Promise<void> {
  for (const id of ids) await appendAll(store, [paymentFact('PaymentCaptured', id)]);
}

export async function shipAll(store: EventStore, ids: readonly OrderId[]): Promise<void> {
  for (const id of ids) await appendAll(store, [booked(id), dispatched(id)]);
}
