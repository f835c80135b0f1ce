import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { OperationalFailure } from '../../failures.ts';
import { messageOf, troubleOf } from '../../postgres/connection.ts';
import type { AppendResult } from '../port.ts';
import type { AppendRow } from './append-statement.ts';
import type { LaneConnection } from './lane-connection.ts';
import { sift } from './receipts.ts';

/** From its arrival an append is answered within this time, whatever the store does. */
export const answerMaxMs = 8_000;
/** Rounds in which nothing of a batch can be settled; each waits for the store or for a lock. */
const roundsMax = 80;
const sleepMs = 100;

export type Waiting = {
  readonly row: AppendRow;
  /** By performance.now(): then its caller is told that the store does not answer. */
  readonly until: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (reason: unknown) => void;
};

export type FlightOptions = {
  readonly connection: LaneConnection;
  readonly epoch: string;
  /** For finding out why a batch failed: other connections than the lane's. */
  readonly pool: pg.Pool;
};

/** What one batch has lived through. `unknown`: a server may have taken a statement of it and not answered. */
type Flight = { rounds: number; unknown: boolean; last: unknown };

/**
 * Brings one batch to its end: every caller gets the result of its own append. A batch that fails is asked why, the
 * explained appends leave it, the same rows of the others are sent again: after a lost answer the keys tell whether
 * they were stored, so nothing is stored twice and nothing acknowledged is lost.
 */
export async function flyBatch(batch: readonly Waiting[], options: FlightOptions): Promise<void> {
  await fly(batch, options, { rounds: 0, unknown: false, last: undefined });
}

async function fly(batch: readonly Waiting[], options: FlightOptions, flight: Flight): Promise<void> {
  for (let rest = inTime(batch, flight); rest.length > 0; rest = inTime(rest, flight)) {
    flight.rounds += 1;
    try {
      const results = await options.connection.send(rest.map(({ row }) => row));
      rest.forEach(({ resolve }, index) => resolve(results[index] as AppendResult));
      return;
    } catch (error) {
      flight.last = error;
      rest = await afterTrouble(rest, options, flight);
    }
  }
}

/** Tells those whose time is over; @returns the others */
function inTime(batch: readonly Waiting[], flight: Flight): readonly Waiting[] {
  const now = flight.rounds < roundsMax ? performance.now() : Infinity;
  const late = batch.filter(({ until }) => until <= now);
  if (late.length === 0) return batch;
  const failure = flight.unknown
    ? unanswered('OUTCOME_UNKNOWN', 'the store did not say whether it took the append', flight.last)
    : unanswered('STORE_UNAVAILABLE', messageOf(flight.last ?? 'it does not answer'), flight.last);
  for (const { reject } of late) reject(failure);
  return batch.filter(({ until }) => until > now);
}

function unanswered(code: 'OUTCOME_UNKNOWN' | 'STORE_UNAVAILABLE', detail: string, cause: unknown): OperationalFailure {
  return new OperationalFailure(code, detail, { retryable: true, cause });
}

/** @returns what shall be sent again */
async function afterTrouble(
  batch: readonly Waiting[],
  options: FlightOptions,
  flight: Flight,
): Promise<readonly Waiting[]> {
  switch (troubleOf(flight.last)) {
    case 'again':
      return batch;
    case 'conflict':
      return siftOut(batch, options);
    case 'lost':
      flight.unknown ||= options.connection.connected();
      void options.connection.leave();
      await delay(sleepMs * (0.5 + Math.random()));
      return siftOut(batch, options);
    case 'poison':
    case 'other':
      await halve(batch, options, flight);
      return [];
  }
}

/** Settles what the store can explain. While the store does not answer, it explains nothing. */
async function siftOut(batch: readonly Waiting[], { pool, epoch }: FlightOptions): Promise<readonly Waiting[]> {
  const rows = batch.map(({ row }) => row);
  const results = await sift(pool, epoch, rows).catch(() => undefined);
  if (results === undefined) {
    await delay(sleepMs);
    return batch;
  }
  batch.forEach(({ resolve }, index) => {
    const result = results[index];
    if (result !== undefined) resolve(result);
  });
  return batch.filter((_, index) => results[index] === undefined);
}

/** Halves the batch until the one append that cannot be stored (a poison value, a bug of its caller) fails alone. */
async function halve(batch: readonly Waiting[], options: FlightOptions, flight: Flight): Promise<void> {
  const { last } = flight;
  if (batch.length === 1) {
    const isPoison = troubleOf(last) === 'poison';
    const detail = messageOf(last);
    batch[0]?.reject(
      isPoison ? new OperationalFailure('POISON_VALUE', detail, { retryable: false, cause: last }) : last,
    );
    return;
  }
  const middle = Math.ceil(batch.length / 2);
  await fly(batch.slice(0, middle), options, { ...flight, rounds: 0 });
  await fly(batch.slice(middle), options, { ...flight, rounds: 0 });
}
