import { openTurns, type Turn, type Turns } from './turns.ts';
import type { IncomingRecord, RecordBatch, TopicPartition } from './port.ts';
import { nameOf } from './partitions.ts';

/** Resolves when the record needs no more; a rejection is a bug, and ends the window. */
export type RecordWork = (record: IncomingRecord, turn: Turn) => Promise<void>;

export type WindowLimits = {
  /** Records at work at once, of all partitions. */
  readonly pendingMax: number;
  /** Their values' bytes. One record alone may be larger. */
  readonly bytesMax: number;
  /** Records of one partition from the oldest that is at work to the newest: what a restart may bring again. */
  readonly spanMax: number;
};

export type KeyedWindow = {
  /**
   * Takes over a batch: resolves when all of it is at work, which is when the next one may come. Rejects with the bug of a
   * piece of work, of this batch or another.
   */
  admit(batch: RecordBatch): Promise<void>;
  /** Below this offset nothing of the partition is at work. */
  settledTo(partition: TopicPartition, nextOffset: number): number;
  status(): { readonly pending: number; readonly oldestTimestampMs: number | null };
  /** Resolves when nothing is at work. */
  idle(): Promise<void>;
  /** Rejects with the first bug of a piece of work, whose record is never settled. */
  readonly failed: Promise<never>;
};

type Entry = { readonly offset: number; readonly timestampMs: number; isSettled: boolean };

/** One assignment of one partition. Another one begins with nothing: the group brings again what was not committed. */
type Lane = {
  readonly lost: AbortSignal;
  /** In the partition's order; the first of them is not settled. */
  entries: Entry[];
  /** When the last record of each key lets the next one begin. */
  readonly tails: Map<string, Promise<void>>;
};

type State = {
  readonly work: RecordWork;
  /** By the partition's name. */
  readonly lanes: Map<string, Lane>;
  readonly turns: Turns;
  readonly changes: Changes;
  readonly failure: PromiseWithResolvers<never>;
  hasFailed: boolean;
  pending: number;
  bytes: number;
};

/**
 * Works on the records of a topic out of their order, but for those of one key: a record that has to wait holds back its
 * key and nobody else. Where the window is full, whoever lingers is hurried, so that what may never come cannot hold
 * others either. Offsets pass a record when it is settled (`settledTo`).
 */
export function openKeyedWindow(work: RecordWork, limits: WindowLimits): KeyedWindow {
  const state = newState(work);
  const { lanes, turns, changes, failure } = state;
  const isFull = ({ entries }: Lane, size: number): boolean =>
    state.pending >= limits.pendingMax ||
    entries.length >= limits.spanMax ||
    (state.pending > 0 && state.bytes + size > limits.bytesMax);
  return {
    admit: async (batch) => {
      const lane = laneOf(state, batch);
      for (const record of batch.records) {
        while (isFull(lane, sizeOf(record)) && !state.hasFailed && !lane.lost.aborted) {
          turns.hurry();
          await changes.next();
        }
        if (state.hasFailed) return failure.promise;
        if (lane.lost.aborted) return;
        begin(state, lane, record);
      }
    },
    settledTo: (partition, nextOffset) =>
      Math.min(lanes.get(nameOf(partition))?.entries[0]?.offset ?? nextOffset, nextOffset),
    status: () => {
      const oldest = [...lanes.values()].flatMap(({ lost, entries: [first] }) =>
        first === undefined || lost.aborted ? [] : [first.timestampMs],
      );
      return { pending: state.pending, oldestTimestampMs: oldest.length === 0 ? null : Math.min(...oldest) };
    },
    idle: async () => {
      while (state.pending > 0) await changes.next();
    },
    failed: failure.promise,
  };
}

function newState(work: RecordWork): State {
  const failure = Promise.withResolvers<never>();
  // Whoever runs the window listens; until then the bug is no crash of its own.
  failure.promise.catch(() => undefined);
  const [turns, changes] = [openTurns(), openChanges()];
  return { work, lanes: new Map(), turns, changes, failure, hasFailed: false, pending: 0, bytes: 0 };
}

function laneOf({ lanes, turns, changes }: State, { lost, ...batch }: RecordBatch): Lane {
  const known = lanes.get(nameOf(batch));
  if (known?.lost === lost) return known;
  const lane: Lane = { lost, entries: [], tails: new Map() };
  lanes.set(nameOf(batch), lane);
  const forget = (): void => {
    turns.wake();
    changes.tell();
  };
  lost.addEventListener('abort', forget, { once: true });
  return lane;
}

function begin(state: State, lane: Lane, record: IncomingRecord): void {
  const entry: Entry = { offset: record.offset, timestampMs: record.timestampMs, isSettled: false };
  const size = sizeOf(record);
  lane.entries.push(entry);
  state.pending += 1;
  state.bytes += size;
  const { before, release } = queued(lane.tails, keyOf(record));
  const turn = { ...state.turns.next(lane.lost), release };
  const run = async (): Promise<void> => {
    await before;
    try {
      if (!lane.lost.aborted) await state.work(record, turn);
      entry.isSettled = true;
      dropSettled(lane);
    } catch (error) {
      state.hasFailed = true;
      state.failure.reject(error);
    }
    state.pending -= 1;
    state.bytes -= size;
    release();
    state.changes.tell();
  };
  void run();
}

type Queued = { readonly before: Promise<void> | undefined; readonly release: () => void };

/** Behind the last record of the key, and before the next one. */
function queued(tails: Lane['tails'], key: string): Queued {
  const before = tails.get(key);
  const released = Promise.withResolvers<undefined>();
  tails.set(key, released.promise);
  const release = (): void => {
    released.resolve(undefined);
    if (tails.get(key) === released.promise) tails.delete(key);
  };
  return { before, release };
}

/** Records without a key have nobody to wait for. */
function keyOf({ key, offset }: IncomingRecord): string {
  return key === null ? `${offset}` : `k${key.toString('latin1')}`;
}

function sizeOf({ value }: IncomingRecord): number {
  return value?.length ?? 0;
}

function dropSettled(lane: Lane): void {
  const first = lane.entries.findIndex(({ isSettled }) => !isSettled);
  if (first === -1) lane.entries = [];
  else if (first > 0) lane.entries.splice(0, first);
}

type Changes = { readonly next: () => Promise<void>; readonly tell: () => void };

function openChanges(): Changes {
  const waiting = new Set<() => void>();
  return {
    next: () => new Promise((resolve) => waiting.add(resolve)),
    tell: () => {
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
  };
}
