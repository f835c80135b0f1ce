import { createHmac } from 'node:crypto';
import { canonicalJson } from '../../../schemas/canonical-json.ts';
import { OperationalFailure } from '../../failures.ts';
import type { Append, AppendResult, EventStore, Position } from '../port.ts';
import { comparePlaces, toPlace } from '../position.ts';
import { openLane } from './append-lane.ts';
import { prepareAppender, unsafeSetting } from './append-role.ts';
import type { AppendRow } from './append-statement.ts';
import { ask, messageOf, openPool, troubleOf } from './connection.ts';
import { logReader } from './log.ts';
import { migrateEventStore } from './migrate.ts';
import { findReceipts, recordAnswer } from './receipts.ts';
import { streamReader } from './streams.ts';

/** An event above this is refused: no honest order comes near. */
export const eventBytesMax = 256 * 1024;

export type PostgresEventStoreOptions = {
  /** Connections for reads; 8 if absent. */
  readonly readConnectionsMax?: number;
  /** 2 if absent: more lanes make smaller batches. */
  readonly lanes?: number;
  /** Appends waiting for their batch, over all lanes; 20,000 if absent. */
  readonly queuedMax?: number;
};

/**
 * Opens the event store in a PostgreSQL 13 or newer; makes its schema on first use.
 * @throws OperationalFailure STORE_UNAVAILABLE, UNSAFE_DURABILITY (fsync, full_page_writes or synchronous_commit off)
 */
export async function openPostgresEventStore(
  url: string,
  options: PostgresEventStoreOptions = {},
): Promise<EventStore> {
  const pool = openPool(url, {
    applicationName: 'order-center store',
    connectionsMax: options.readConnectionsMax ?? 8,
  });
  try {
    return await openOn(url, pool, options);
  } catch (error) {
    await pool.end();
    if (error instanceof OperationalFailure || troubleOf(error) === 'other') throw error;
    throw new OperationalFailure('STORE_UNAVAILABLE', messageOf(error), { retryable: true, cause: error });
  }
}

async function openOn(
  url: string,
  pool: ReturnType<typeof openPool>,
  options: PostgresEventStoreOptions,
): Promise<EventStore> {
  const unsafe = await unsafeSetting(pool);
  if (unsafe !== null) throw new OperationalFailure('UNSAFE_DURABILITY', `${unsafe} is off`, { retryable: false });
  await migrateEventStore(url);
  const appender = await prepareAppender(pool, url);
  const [meta] = await ask<{ epoch: string; hash_secret: Buffer }>(pool, {
    text: 'select epoch, hash_secret from order_center.store_meta',
  });
  if (meta === undefined) throw new Error('the store has no meta row');
  await forgetOldAnswers(pool);

  const { epoch } = meta;
  const laneCount = options.lanes ?? 2;
  const queuedMax = Math.ceil((options.queuedMax ?? 20_000) / laneCount);
  const lanes = Array.from({ length: laneCount }, (_, index) =>
    openLane({ url: appender.url, name: `order-center append ${index}`, epoch, pool, queuedMax }),
  );
  const log = logReader(pool, epoch, appender.fence);
  const streams = streamReader(pool, epoch);
  const listeners = new Set<(position: Position) => void>();

  const append = async (request: Append): Promise<AppendResult> => {
    const lane = lanes[laneOf(request.stream, lanes.length)];
    const result = await (lane?.push(toRow(request)) ?? Promise.reject(new Error('no lane')));
    if (result.outcome === 'appended') for (const listener of listeners) listener(result.position);
    return result;
  };

  return {
    epoch,
    append,
    recordAnswer: (receipt, expected) => recordAnswer(pool, receipt, expected === 'none' ? -1 : expected),
    readStream: (slice) => streams.push(slice),
    readLog: (query) => log.page(query),
    findCommand: async (tenantId, commandId) =>
      (await findReceipts(pool, [{ tenantId, commandId }])).get(`${tenantId}/${commandId}`) ?? null,
    head: () => log.head(),
    comparePositions: (a, b) => comparePlaces(toPlace(epoch, a), toPlace(epoch, b)),
    commandHash: (payload) => createHmac('sha256', meta.hash_secret).update(canonicalJson(payload)).digest('hex'),
    onAppend: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    ping: async () => void (await ask(pool, { text: 'select 1' })),
    status: () => ({ queued: lanes.reduce((sum, lane) => sum + lane.queued(), 0), fenceHeldMs: log.heldMs() }),
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
      await pool.end();
    },
  };
}

function toRow(append: Append): AppendRow {
  const json = append.events.map(({ data }) => JSON.stringify(data));
  const sizes = json.map((text) => Buffer.byteLength(text));
  const largest = Math.max(...sizes);
  if (largest > eventBytesMax) {
    throw new OperationalFailure('EVENT_TOO_LARGE', `an event of ${largest} bytes, at most ${eventBytesMax}`, {
      retryable: false,
    });
  }
  return { append, json, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** FNV-1a: a stream always takes the same lane of a process. */
function laneOf(stream: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < stream.length; index += 1) hash = Math.imul(hash ^ stream.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % lanes;
}

/** Answers that belong to an order live as long as it; others 30 days. A bounded bite at each start. */
async function forgetOldAnswers(pool: ReturnType<typeof openPool>): Promise<void> {
  await ask(pool, {
    text: `delete from order_center.answers where (tenant, command_id) in (
        select tenant, command_id from order_center.answers a
        where answered_at < now() - interval '30 days'
          and not exists (select from order_center.events e where e.stream = a.stream and e.revision = 0)
        limit 10000)`,
  });
}
