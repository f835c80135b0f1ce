import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { OperationalFailure } from '../../failures.ts';
import type { AppendResult } from '../port.ts';
import { appendParameters, appendStatement, inKeyOrder, type AppendRow } from './append-statement.ts';
import { connectLane, messageOf, troubleOf } from './connection.ts';
import { sift } from './receipts.ts';
import { appendedOf } from './rows.ts';

/** A batch is at most this; an append above the bytes goes alone. */
export const batchEventsMax = 500;
export const batchBytesMax = 256 * 1024;
/** How long a batch is resent after its answer was lost before its callers are told. */
const resendForMs = 8_000;
const roundsMax = 40;

export type LaneOptions = {
  readonly url: string;
  readonly name: string;
  readonly epoch: string;
  /** For finding out why a batch failed: other connections than the lane's. */
  readonly pool: pg.Pool;
  readonly queuedMax: number;
};

/** One connection with one statement in flight: what comes in meanwhile is the next batch. */
export type AppendLane = {
  push(row: AppendRow): Promise<AppendResult>;
  queued(): number;
  close(): Promise<void>;
};

type Waiting = {
  readonly row: AppendRow;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (reason: unknown) => void;
};

/** What one batch has lived through: whether a statement of it may have been taken by a server that did not answer. */
type Flight = { readonly until: number; rounds: number; unknown: boolean };

export function openLane(options: LaneOptions): AppendLane {
  let waiting: readonly Waiting[] = [];
  let client: pg.Client | undefined;
  let pumping: Promise<void> | undefined;
  let closed = false;

  const send = async (rows: readonly AppendRow[]): Promise<readonly AppendResult[]> => {
    client ??= await connectLane(options.url, options.name);
    const result = await client.query<{ tx: string; recorded_ms: number }>({
      ...appendStatement,
      values: appendParameters(rows),
    });
    const [place] = result.rows;
    if (place === undefined) throw new Error('the append statement answered no row');
    const recordedAt = new Date(place.recorded_ms).toISOString();
    let ordinal = 0;
    return rows.map(({ append }) => {
      const appended = appendedOf(append, { epoch: options.epoch, tx: BigInt(place.tx), ordinal, recordedAt });
      ordinal += append.events.length;
      return appended;
    });
  };

  const reconnect = async (): Promise<void> => {
    const lost = client;
    client = undefined;
    // Its backend may still run the statement: a resend then waits for it on the unique keys, at most its timeout.
    void lost?.end().catch(() => undefined);
    await delay(50 + Math.random() * 100);
  };

  const afterTrouble = async (
    batch: readonly Waiting[],
    flight: Flight,
    error: unknown,
  ): Promise<readonly Waiting[]> => {
    const trouble = troubleOf(error);
    if (trouble === 'other') throw error;
    if (trouble === 'poison') {
      await poisoned(batch, flight, error);
      return [];
    }
    if (trouble === 'lost') {
      flight.unknown ||= client !== undefined;
      await reconnect();
    }
    return trouble === 'again' ? batch : siftOut(batch, flight);
  };

  /** Settles what the store can explain; the rest is sent again. While the store does not answer, all of it is. */
  const siftOut = async (batch: readonly Waiting[], flight: Flight): Promise<readonly Waiting[]> => {
    const results = await sift(
      options.pool,
      options.epoch,
      batch.map(({ row }) => row),
    ).catch(() => undefined);
    if (results === undefined) {
      if (Date.now() < flight.until) await delay(100);
      return batch;
    }
    results.forEach((result, index) => result !== undefined && batch[index]?.resolve(result));
    return batch.filter((_, index) => results[index] === undefined);
  };

  /** Halves the batch until the one command with the value that the store cannot hold fails alone. */
  const poisoned = async (batch: readonly Waiting[], flight: Flight, error: unknown): Promise<void> => {
    if (batch.length === 1) {
      batch[0]?.reject(new OperationalFailure('POISON_VALUE', messageOf(error), { retryable: false, cause: error }));
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await flush(batch.slice(0, middle), { ...flight, rounds: 0 });
    await flush(batch.slice(middle), { ...flight, rounds: 0 });
  };

  const flush = async (batch: readonly Waiting[], flight: Flight): Promise<void> => {
    let rest = batch;
    let last: unknown;
    while (rest.length > 0 && flight.rounds < roundsMax && Date.now() < flight.until && !closed) {
      flight.rounds += 1;
      try {
        const results = await send(rest.map(({ row }) => row));
        rest.forEach(({ resolve }, index) => resolve(results[index] as AppendResult));
        return;
      } catch (error) {
        last = error;
        rest = await afterTrouble(rest, flight, error);
      }
    }
    const failure = flight.unknown
      ? new OperationalFailure('OUTCOME_UNKNOWN', 'the store did not say whether it took the append', {
          retryable: true,
          cause: last,
        })
      : new OperationalFailure('STORE_UNAVAILABLE', messageOf(last), { retryable: true, cause: last });
    for (const { reject } of rest) reject(failure);
  };

  const pump = async (): Promise<void> => {
    while (waiting.length > 0) {
      const { batch, rest } = nextBatch(waiting);
      waiting = rest;
      const flight = { until: Date.now() + resendForMs, rounds: 0, unknown: false };
      const sorted = inKeyOrder(batch.map(({ row }) => row));
      const byRow = new Map(batch.map((item) => [item.row, item]));
      const ordered = sorted.flatMap((row) => byRow.get(row) ?? []);
      await flush(ordered, flight).catch((error: unknown) => ordered.forEach(({ reject }) => reject(error)));
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
        (waiting as Waiting[]).push({ row, resolve, reject });
        // No timer: the rest of this tick joins, whatever comes during the statement is the next batch.
        pumping ??= new Promise((done) => setImmediate(() => void pump().then(done)));
      }),
    close: async () => {
      await pumping;
      closed = true;
      await client?.end().catch(() => undefined);
    },
  };
}

/** Takes from the front what fits; a second append of a stream, command or claim waits for the next batch. */
function nextBatch(waiting: readonly Waiting[]): { readonly batch: readonly Waiting[]; readonly rest: Waiting[] } {
  const batch: Waiting[] = [];
  const rest: Waiting[] = [];
  const taken = new Set<string>();
  let events = 0;
  let bytes = 0;
  for (const [index, item] of waiting.entries()) {
    const { append } = item.row;
    const fits =
      batch.length === 0 ||
      (events + append.events.length <= batchEventsMax && bytes + item.row.bytes <= batchBytesMax);
    if (!fits) return { batch, rest: [...rest, ...waiting.slice(index)] };
    const keys = [`s/${append.stream}`, `c/${append.tenantId}/${append.commandId}`];
    if (append.claim !== undefined) keys.push(`w/${append.tenantId}/${append.claim}`);
    const free = keys.every((key) => !taken.has(key));
    // Also one that waits keeps its keys: a later append of the same stream must not overtake it.
    keys.forEach((key) => taken.add(key));
    if (!free) {
      rest.push(item);
      continue;
    }
    batch.push(item);
    events += append.events.length;
    bytes += item.row.bytes;
  }
  return { batch, rest };
}
