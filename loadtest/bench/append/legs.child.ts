import pg from 'pg';

import { openEventStore } from '../../../infra/event-store/open.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { serve } from '../child-process.ts';
import { appendOf, newPlacements, type Placement } from './placements.ts';
import * as sql from './tables.ts';

/** The increments from a bare COPY to the store, each one leg. */
export type AppendLeg =
  'copy' | 'copy-all-keys' | 'server-insert' | 'plain' | 'plain-all-keys' | 'guarded' | 'store' | 'store-claims';

export type AppendRequest =
  | { readonly kind: 'open'; readonly url: string; readonly rows: number }
  /** At most the rows opened with, in whole chunks. */
  | { readonly kind: 'leg'; readonly leg: AppendLeg; readonly outstanding: number; readonly rows: number };

/** Only `seconds` counts: emptying before and counting after are outside. */
export type AppendAnswer = { readonly rows: number; readonly seconds: number };

/** As the store: two lanes, at most 500 events a batch. */
const laneCount = 2;
const batchMax = 500;

type Bench = {
  readonly store: EventStore;
  readonly control: pg.Client;
  readonly lanes: readonly pg.Client[];
  readonly placements: readonly Placement[];
  readonly text: readonly Buffer[];
};

let bench: Bench | undefined;

async function open(url: string, rows: number): Promise<AppendAnswer> {
  const store = await openEventStore(url);
  const [control, ...lanes] = await Promise.all(Array.from({ length: laneCount + 1 }, () => connect(url)));
  if (control === undefined) throw new Error('no connection');
  const placements = newPlacements(rows);
  const text = sql.copyText(placements);
  await sql.makeTables(control);
  await sql.stage(control, text);
  bench = { store, control, lanes, placements, text };
  return { rows, seconds: 0 };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'order-center bench' });
  await client.connect();
  return client;
}

type Leg = { readonly leg: AppendLeg; readonly outstanding: number; readonly rows: number };

async function runLeg({ leg, outstanding, rows: wanted }: Leg): Promise<AppendAnswer> {
  if (bench === undefined) throw new Error('open first');
  const chunks = Math.ceil(wanted / sql.chunkRows);
  const taken = {
    ...bench,
    text: bench.text.slice(0, chunks),
    placements: bench.placements.slice(0, chunks * sql.chunkRows),
  };
  await sql.emptyTables(bench.control);
  const started = performance.now();
  await legs[leg](taken, outstanding);
  const seconds = (performance.now() - started) / 1_000;
  const rows = await sql.countRows(bench.control);
  if (rows !== taken.placements.length) throw new Error(`${leg} stored ${rows} of ${taken.placements.length} rows`);
  return { rows, seconds };
}

const legs: Readonly<Record<AppendLeg, (bench: Bench, outstanding: number) => Promise<void>>> = {
  copy: ({ control, text }) => sql.copyInto(control, sql.tables.twoKeys, text),
  'copy-all-keys': ({ control, text }) => sql.copyInto(control, sql.tables.allKeys, text),
  'server-insert': (opened, outstanding) =>
    inBatches(opened, outstanding, (lane, from, to) => sql.insertStaged(lane, { from, to })),
  plain: (opened, outstanding) =>
    inRowBatches(opened, outstanding, (lane, rows) => sql.insertPlain(lane, sql.tables.twoKeys, rows)),
  'plain-all-keys': (opened, outstanding) =>
    inRowBatches(opened, outstanding, (lane, rows) => sql.insertPlain(lane, sql.tables.allKeys, rows)),
  guarded: (opened, outstanding) => inRowBatches(opened, outstanding, sql.insertGuarded),
  store: (opened, outstanding) => throughStore(opened, outstanding, false),
  'store-claims': (opened, outstanding) => throughStore(opened, outstanding, true),
};

/** A closed loop: so many callers, each with one append outstanding. */
async function throughStore({ store, placements }: Bench, outstanding: number, withReference: boolean): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let taken = placements[next++]; taken !== undefined; taken = placements[next++]) {
      const { outcome } = await store.append(appendOf(taken, withReference));
      if (outcome !== 'appended') throw new Error(`a placement was ${outcome}`);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, caller));
}

type SendBatch = (lane: pg.Client, from: number, to: number) => Promise<void>;

/** The lanes without their callers: batches as large as theirs, one in flight on each connection. */
async function inBatches({ lanes, placements }: Bench, outstanding: number, send: SendBatch): Promise<void> {
  const size = Math.min(batchMax, Math.ceil(outstanding / laneCount));
  let next = 0;
  const loop = async (lane: pg.Client): Promise<void> => {
    while (next < placements.length) {
      const from = next;
      next = Math.min(from + size, placements.length);
      await send(lane, from, next);
    }
  };
  await Promise.all(lanes.map(loop));
}

type SendRows = (lane: pg.Client, rows: readonly ReturnType<typeof sql.rowOf>[]) => Promise<void>;

function inRowBatches(opened: Bench, outstanding: number, send: SendRows): Promise<void> {
  return inBatches(opened, outstanding, (lane, from, to) =>
    send(lane, opened.placements.slice(from, to).map(sql.rowOf)),
  );
}

async function close(): Promise<void> {
  if (bench === undefined) return;
  await Promise.all([bench.store.close(), bench.control.end(), ...bench.lanes.map((lane) => lane.end())]);
}

serve((request: AppendRequest) => (request.kind === 'open' ? open(request.url, request.rows) : runLeg(request)), close);
