import type { IncomingRecord, RecordBatch, TopicPartition } from './port.ts';
import { nameOf } from './partitions.ts';

/** What a piece of work is given beside its record. */
export type Turn = {
  /** When the window took the record; `performance.now()`. */
  readonly takenAtMs: number;
  /** The group took the partition away: another member has the record, and nothing here counts any more. */
  readonly isLost: () => boolean;
  /** Others wait for room: whoever waits for something that may never come gives up. */
  readonly isHurried: () => boolean;
  /** Waits; ends early when the turn is lost. */
  readonly rest: (ms: number) => Promise<void>;
  /** Waits; ends early when the turn is lost or hurried. */
  readonly linger: (ms: number) => Promise<void>;
  /** The next record of the key may begin; this one is not settled yet. */
  readonly release: () => void;
};

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

/**
 * Works on the records of a topic out of their order, but for those of one key: a record that has to wait holds back its
 * key and nobody else. Where the window is full, whoever lingers is hurried, so that what may never come cannot hold
 * others either. Offsets pass a record when it is settled (`settledTo`).
 */
export function openKeyedWindow(work: RecordWork, limits: WindowLimits): KeyedWindow {
  const lanes = new Map<string, Lane>();
  const changes = new Set<() => void>();
  const naps = openNaps();
  let [pending, bytes] = [0, 0];
  let hasFailed = false;
  const failure = Promise.withResolvers<never>();
  // Whoever runs the window listens; until then the bug is no crash of its own.
  failure.promise.catch(() => undefined);

  const changed = (): void => {
    for (const resolve of changes) resolve();
    changes.clear();
  };
  const nextChange = (): Promise<void> => new Promise((resolve) => changes.add(resolve));
  const laneOf = ({ lost, ...batch }: RecordBatch): Lane => {
    const known = lanes.get(nameOf(batch));
    if (known?.lost === lost) return known;
    const lane: Lane = { lost, entries: [], tails: new Map() };
    lanes.set(nameOf(batch), lane);
    const forget = (): void => {
      naps.wake();
      changed();
    };
    lost.addEventListener('abort', forget, { once: true });
    return lane;
  };
  const isFull = (lane: Lane, size: number): boolean =>
    pending >= limits.pendingMax ||
    lane.entries.length >= limits.spanMax ||
    (pending > 0 && bytes + size > limits.bytesMax);

  const start = (lane: Lane, record: IncomingRecord): void => {
    const entry: Entry = { offset: record.offset, timestampMs: record.timestampMs, isSettled: false };
    const size = sizeOf(record);
    const key = record.key === null ? `${record.offset}` : `k${record.key.toString('latin1')}`;
    lane.entries.push(entry);
    pending += 1;
    bytes += size;
    const before = lane.tails.get(key);
    const released = Promise.withResolvers<undefined>();
    const release = (): void => {
      released.resolve(undefined);
      if (lane.tails.get(key) === released.promise) lane.tails.delete(key);
    };
    lane.tails.set(key, released.promise);
    const turn = { ...naps.newTurn(lane.lost), release };
    const run = async (): Promise<void> => {
      await before;
      try {
        if (!lane.lost.aborted) await work(record, turn);
        entry.isSettled = true;
        dropSettled(lane);
      } catch (error) {
        hasFailed = true;
        failure.reject(error);
      }
      pending -= 1;
      bytes -= size;
      release();
      changed();
    };
    void run();
  };

  return {
    admit: async (batch) => {
      const lane = laneOf(batch);
      for (const record of batch.records) {
        while (isFull(lane, sizeOf(record)) && !hasFailed && !lane.lost.aborted) {
          naps.hurry();
          await nextChange();
        }
        if (hasFailed) return failure.promise;
        if (lane.lost.aborted) return;
        start(lane, record);
      }
    },
    settledTo: (partition, nextOffset) =>
      Math.min(lanes.get(nameOf(partition))?.entries[0]?.offset ?? nextOffset, nextOffset),
    status: () => {
      const oldest = [...lanes.values()].flatMap(({ lost, entries: [first] }) =>
        first === undefined || lost.aborted ? [] : [first.timestampMs],
      );
      return { pending, oldestTimestampMs: oldest.length === 0 ? null : Math.min(...oldest) };
    },
    idle: async () => {
      while (pending > 0) await nextChange();
    },
    failed: failure.promise,
  };
}

function sizeOf({ value }: IncomingRecord): number {
  return value?.length ?? 0;
}

function dropSettled(lane: Lane): void {
  const first = lane.entries.findIndex(({ isSettled }) => !isSettled);
  if (first === -1) lane.entries = [];
  else if (first > 0) lane.entries.splice(0, first);
}

type Naps = {
  readonly newTurn: (lost: AbortSignal) => Omit<Turn, 'release'>;
  readonly hurry: () => void;
  readonly wake: () => void;
};

/** Who waits, and what ends it. */
function openNaps(): Naps {
  let haste = { isOn: false };
  const lingering = new Set<() => void>();
  const resting = new Set<() => void>();
  const nap = (ms: number, sleepers: Set<() => void>): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        sleepers.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      sleepers.add(end);
    });
  const wakeAll = (sleepers: Set<() => void>): void => {
    for (const end of [...sleepers]) end();
  };
  return {
    newTurn: (lost) => {
      const own = haste;
      const isHurried = (): boolean => own.isOn;
      return {
        takenAtMs: performance.now(),
        isLost: () => lost.aborted,
        isHurried,
        rest: (ms) => (lost.aborted ? Promise.resolve() : nap(ms, resting)),
        linger: (ms) => (lost.aborted || isHurried() ? Promise.resolve() : nap(ms, lingering)),
      };
    },
    hurry: () => {
      haste.isOn = true;
      haste = { isOn: false };
      wakeAll(lingering);
    },
    wake: () => {
      wakeAll(lingering);
      wakeAll(resting);
    },
  };
}
