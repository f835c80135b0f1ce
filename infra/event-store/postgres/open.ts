import { createHmac } from 'node:crypto';
import type pg from 'pg';
import { canonicalJson } from '../../../schemas/canonical-json.ts';
import { OperationalFailure } from '../../failures.ts';
import { ask, messageOf, openPool, troubleOf } from '../../postgres/connection.ts';
import type { Append, AppendResult, EventStore, Position } from '../port.ts';
import { comparePlaces, toPlace } from '../position.ts';
import { openLane } from './append-lane.ts';
import { logReader } from './log.ts';
import { forgetOldAnswers } from './old-answers.ts';
import { prepareStore } from './prepare.ts';
import { findReceipt, recordAnswer, rehearse } from './receipts.ts';
import { streamReader } from './streams.ts';
import { toRow } from './to-row.ts';

export type PostgresEventStoreOptions = {
  /** Connections for streams, receipts and answers; 6 if absent. */
  readonly readConnectionsMax?: number;
  /** Connections for pages of the log, apart: analysts must not keep commands waiting. 3 if absent. */
  readonly logConnectionsMax?: number;
  /** 2 if absent: more lanes make smaller batches. */
  readonly lanes?: number;
  /** Appends waiting for their batch, over all lanes; 20,000 if absent. */
  readonly queuedMax?: number;
};

/**
 * Opens the event store in a PostgreSQL 13 or newer; makes its schema on first use.
 * @throws OperationalFailure STORE_UNAVAILABLE, UNSAFE_DURABILITY (fsync, full_page_writes or synchronous_commit off),
 *   FOREIGN_STORE (restored from another server)
 */
export async function openPostgresEventStore(
  url: string,
  options: PostgresEventStoreOptions = {},
): Promise<EventStore> {
  const pool = openPool(url, {
    applicationName: 'order-center store',
    connectionsMax: options.readConnectionsMax ?? 6,
  });
  try {
    return await openOn(url, pool, options);
  } catch (error) {
    await pool.end();
    if (error instanceof OperationalFailure || troubleOf(error) === 'other') throw error;
    throw new OperationalFailure('STORE_UNAVAILABLE', messageOf(error), { retryable: true, cause: error });
  }
}

async function openOn(url: string, pool: pg.Pool, options: PostgresEventStoreOptions): Promise<EventStore> {
  const { epoch, formerEpochs, hashSecret, appendUrl, role, fence } = await prepareStore(url, pool);
  const logPool = openLogPool(url, options);
  const stopForgetting = forgetOldAnswers(pool);
  const laneCount = options.lanes ?? 2;
  const queuedMax = Math.ceil((options.queuedMax ?? 20_000) / laneCount);
  const lanes = Array.from({ length: laneCount }, (_, index) =>
    openLane({ url: appendUrl, name: `order-center append ${index}`, epoch, role, pool, queuedMax }),
  );
  const log = logReader(logPool, epoch, fence);
  const streams = streamReader(pool, epoch);
  const listeners = new Set<(position: Position) => void>();

  const append = async (request: Append): Promise<AppendResult> => {
    const lane = lanes[laneOf(request.stream, lanes.length)];
    if (lane === undefined) throw new Error('no lane');
    const result = await lane.push(toRow(request));
    if (result.outcome === 'appended') for (const listener of listeners) listener(result.position);
    return result;
  };

  return {
    epoch,
    formerEpochs,
    append,
    rehearse: async (request) => rehearse(pool, epoch, toRow(request)),
    recordAnswer: (receipt, expected) => recordAnswer(pool, receipt, expected === 'none' ? -1 : expected),
    readStream: (slice) => streams.push(slice),
    readLog: (query) => log.page(query),
    findCommand: (tenantId, commandId) => findReceipt(pool, { tenantId, commandId }),
    head: () => log.head(),
    backlog: (query) => log.backlog(query),
    fenceHold: () => log.fenceHold(),
    comparePositions: (a, b) => comparePlaces(toPlace(epoch, a), toPlace(epoch, b)),
    commandHash: (payload) => createHmac('sha256', hashSecret).update(canonicalJson(payload)).digest('hex'),
    onAppend: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ping: async () => {
      await ask(pool, { text: 'select 1' });
    },
    status: () => ({ queued: lanes.reduce((sum, lane) => sum + lane.queued(), 0), fenceHeldMs: log.heldMs() }),
    close: async () => {
      stopForgetting();
      await Promise.all(lanes.map((lane) => lane.close()));
      await Promise.all([pool.end(), logPool.end()]);
    },
  };
}

function openLogPool(url: string, { logConnectionsMax = 3 }: PostgresEventStoreOptions): pg.Pool {
  return openPool(url, { applicationName: 'order-center log', connectionsMax: logConnectionsMax });
}

/** FNV-1a: a stream always takes the same lane of a process. */
function laneOf(stream: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < stream.length; index += 1) hash = Math.imul(hash ^ stream.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % lanes;
}
