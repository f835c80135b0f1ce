import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { OperationalFailure } from '../../failures.ts';
import { messageOf, troubleOf } from '../../postgres/connection.ts';
import type { AppendResult } from '../port.ts';
import type { AppendRow } from './append-statement.ts';
import type { LaneConnection } from './lane-connection.ts';
import { sift } from './receipts.ts';

/** How long a batch is resent after its answer was lost before its callers are told. */
const resendForMs = 8_000;
const roundsMax = 40;
const sleepMs = 100;

export type Waiting = {
  readonly row: AppendRow;
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
type Flight = { readonly until: number; rounds: number; unknown: boolean };

/**
 * Brings one batch to its end: every caller gets the result of its own append. A batch that fails is asked why, the
 * explained appends leave it, the same rows of the others are sent again: after a lost answer the keys tell whether
 * they were stored, so nothing is stored twice and nothing acknowledged is lost.
 */
export async function flyBatch(batch: readonly Waiting[], options: FlightOptions): Promise<void> {
  await fly(batch, options, { until: Date.now() + resendForMs, rounds: 0, unknown: false });
}

async function fly(batch: readonly Waiting[], options: FlightOptions, flight: Flight): Promise<void> {
  let rest = batch;
  let last: unknown;
  while (rest.length > 0 && flight.rounds < roundsMax && Date.now() < flight.until) {
    flight.rounds += 1;
    try {
      const results = await options.connection.send(rest.map(({ row }) => row));
      rest.forEach(({ resolve }, index) => resolve(results[index] as AppendResult));
      return;
    } catch (error) {
      last = error;
      rest = await afterTrouble(rest, options, { flight, error });
    }
  }
  const failure = flight.unknown
    ? new OperationalFailure('OUTCOME_UNKNOWN', 'the store did not say whether it took the append', {
        retryable: true,
        cause: last,
      })
    : new OperationalFailure('STORE_UNAVAILABLE', messageOf(last), { retryable: true, cause: last });
  for (const { reject } of rest) reject(failure);
}

/** @returns what shall be sent again */
async function afterTrouble(
  batch: readonly Waiting[],
  options: FlightOptions,
  { flight, error }: { readonly flight: Flight; readonly error: unknown },
): Promise<readonly Waiting[]> {
  const trouble = troubleOf(error);
  switch (trouble) {
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
      await halve(batch, options, { flight, error });
      return [];
    case 'other':
      throw error;
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

/** Halves the batch until the one command with the value that the store cannot hold fails alone. */
async function halve(
  batch: readonly Waiting[],
  options: FlightOptions,
  { flight, error }: { readonly flight: Flight; readonly error: unknown },
): Promise<void> {
  if (batch.length === 1) {
    batch[0]?.reject(new OperationalFailure('POISON_VALUE', messageOf(error), { retryable: false, cause: error }));
    return;
  }
  const middle = Math.ceil(batch.length / 2);
  await fly(batch.slice(0, middle), options, { ...flight, rounds: 0 });
  await fly(batch.slice(middle), options, { ...flight, rounds: 0 });
}
