import type pg from 'pg';
import { OperationalFailure } from '../../failures.ts';
import type { AppendResult } from '../port.ts';
import { inKeyOrder, type AppendRow } from './append-statement.ts';
import { answerMaxMs, flyBatch, type Waiting } from './batch-flight.ts';
import { laneConnection } from './lane-connection.ts';

/** A batch is at most this; an append above the bytes goes alone. Best between 100 and 500 (measured). */
export const batchEventsMax = 500;
export const batchBytesMax = 256 * 1024;

export type LaneOptions = {
  readonly url: string;
  readonly name: string;
  readonly epoch: string;
  readonly role: string | null;
  readonly pool: pg.Pool;
  /** Appends waiting for a batch; one more is refused with OVERLOADED. */
  readonly queuedMax: number;
};

/** One connection with one statement in flight: what comes in meanwhile is the next batch. */
export type AppendLane = {
  push(row: AppendRow): Promise<AppendResult>;
  queued(): number;
  close(): Promise<void>;
};

export function openLane(options: LaneOptions): AppendLane {
  const connection = laneConnection(options);
  let waiting: Waiting[] = [];
  let pumping: Promise<void> | undefined;
  let closed = false;

  const pump = async (): Promise<void> => {
    while (waiting.length > 0) {
      const { batch, rest } = nextBatch(waiting);
      waiting = rest;
      const ordered = inKeyOrder(batch);
      await flyBatch(ordered, { ...options, connection }).catch((error: unknown) => {
        for (const { reject } of ordered) reject(error);
      });
    }
    pumping = undefined;
  };

  return {
    queued: () => waiting.length,
    push: (row) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(new OperationalFailure('STORE_UNAVAILABLE', 'the store is closed', { retryable: true }));
          return;
        }
        if (waiting.length >= options.queuedMax) {
          reject(new OperationalFailure('OVERLOADED', `${waiting.length} appends wait`, { retryable: true }));
          return;
        }
        waiting.push({ row, until: performance.now() + answerMaxMs, resolve, reject });
        // No timer: the rest of this tick joins, whatever comes during the statement is the next batch.
        pumping ??= new Promise((done) => setImmediate(() => void pump().then(done)));
      }),
    close: async () => {
      closed = true;
      await pumping;
      await connection.leave();
    },
  };
}

type Batch = { readonly batch: readonly Waiting[]; readonly rest: Waiting[] };

/** Takes from the front what fits; a second append of a stream, command or claim waits for the next batch. */
function nextBatch(waiting: readonly Waiting[]): Batch {
  const batch: Waiting[] = [];
  const rest: Waiting[] = [];
  const taken = new Set<string>();
  let events = 0;
  let bytes = 0;
  for (const [index, item] of waiting.entries()) {
    const { append, bytes: size } = item.row;
    const fits = events + append.events.length <= batchEventsMax && bytes + size <= batchBytesMax;
    if (!fits && batch.length > 0) return { batch, rest: [...rest, ...waiting.slice(index)] };
    const keys = keysOf(item.row);
    const free = keys.every((key) => !taken.has(key));
    // Also one that waits keeps its keys: a later append of the same stream must not overtake it.
    keys.forEach((key) => taken.add(key));
    if (!free) {
      rest.push(item);
      continue;
    }
    batch.push(item);
    events += append.events.length;
    bytes += size;
  }
  return { batch, rest };
}

function keysOf({ append }: AppendRow): readonly string[] {
  const { stream, tenantId, commandId, claim } = append;
  const keys = [`stream/${stream}`, `command/${tenantId}/${commandId}`];
  return claim === undefined ? keys : [...keys, `claim/${tenantId}/${claim}`];
}
