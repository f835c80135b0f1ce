import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type pg from 'pg';
import { canonicalJson } from '../../../schemas/canonical-json.ts';
import { OperationalFailure } from '../../failures.ts';
import { ask, messageOf, openPool, troubleOf } from '../../postgres/connection.ts';
import { ensureLoginRole, urlAs } from '../../postgres/login-role.ts';
import { migrate } from '../../postgres/migrate.ts';
import type { Append, AppendResult, EventStore, Position } from '../port.ts';
import { comparePlaces, toPlace } from '../position.ts';
import { openLane } from './append-lane.ts';
import type { AppendRow } from './append-statement.ts';
import type { FenceKind } from './fence.ts';
import { logReader } from './log.ts';
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

/** What one database's store is: its epoch and secret, how appends connect and what their readers watch. */
type Opened = {
  readonly epoch: string;
  readonly hashSecret: KeyObject;
  readonly appendUrl: string;
  readonly fence: FenceKind;
};

async function prepare(url: string, pool: pg.Pool): Promise<Opened> {
  const unsafe = await unsafeSetting(pool);
  if (unsafe !== null) throw new OperationalFailure('UNSAFE_DURABILITY', `${unsafe} is off`, { retryable: false });
  await migrate(url, { schema: 'order_center', folder: join(import.meta.dirname, 'migrations') });
  await ask(pool, {
    text: 'insert into order_center.store_meta (hash_secret) values ($1) on conflict do nothing',
    values: [randomBytes(32)],
  });
  const [meta] = await ask<{ epoch: string; hash_secret: Buffer }>(pool, {
    text: 'select epoch, hash_secret from order_center.store_meta',
  });
  if (meta === undefined) throw new Error('the store has no meta row');
  // Appends come from one role that can insert events and nothing more: the fence watches its transactions alone.
  const grants = ['select, insert on order_center.events', 'select on order_center.answers'];
  const role = await ensureLoginRole(pool, { schema: 'order_center', grants });
  await forgetOldAnswers(pool);
  return {
    epoch: meta.epoch,
    // A key object is prepared once; a buffer would be for each command (measured: 38 µs against 5).
    hashSecret: createSecretKey(meta.hash_secret),
    appendUrl: role === null ? url : urlAs(url, role),
    fence: role === null ? { kind: 'xmin' } : { kind: 'role', role: role.name },
  };
}

/** @returns what is off; null where an acknowledged append survives a power cut */
async function unsafeSetting(pool: pg.Pool): Promise<string | null> {
  const names = ['fsync', 'full_page_writes', 'synchronous_commit'];
  const rows = await ask<{ name: string }>(pool, {
    text: "select name from pg_settings where name = any($1) and setting = 'off'",
    values: [names],
  });
  return rows[0]?.name ?? null;
}

async function openOn(url: string, pool: pg.Pool, options: PostgresEventStoreOptions): Promise<EventStore> {
  const { epoch, hashSecret, appendUrl, fence } = await prepare(url, pool);
  const laneCount = options.lanes ?? 2;
  const queuedMax = Math.ceil((options.queuedMax ?? 20_000) / laneCount);
  const lanes = Array.from({ length: laneCount }, (_, index) =>
    openLane({ url: appendUrl, name: `order-center append ${index}`, epoch, pool, queuedMax }),
  );
  const log = logReader(pool, epoch, fence);
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
    append,
    recordAnswer: (receipt, expected) => recordAnswer(pool, receipt, expected === 'none' ? -1 : expected),
    readStream: (slice) => streams.push(slice),
    readLog: (query) => log.page(query),
    findCommand: async (tenantId, commandId) => {
      const receipts = await findReceipts(pool, [{ tenantId, commandId }]);
      return receipts.get(`${tenantId}/${commandId}`) ?? null;
    },
    head: () => log.head(),
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
async function forgetOldAnswers(pool: pg.Pool): Promise<void> {
  await ask(pool, {
    text: `delete from order_center.answers where (tenant, command_id) in (
        select tenant, command_id from order_center.answers a
        where answered_at < now() - interval '30 days'
          and not exists (select from order_center.events e where e.stream = a.stream and e.revision = 0)
        limit 10000)`,
  });
}
