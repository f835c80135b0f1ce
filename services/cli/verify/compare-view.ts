import { setTimeout as wait } from 'node:timers/promises';

import type { EventStore } from '../../../infra/event-store/port.ts';
import type { Document, DocumentKey, ReadStore } from '../../../infra/read-store/port.ts';
import type { Position } from '../../../schemas/envelope.ts';
import { digestOf } from './document-archive.ts';
import type { ParkedAt, ViewFold } from './view-fold.ts';

export type CompareInput = {
  readonly store: Pick<EventStore, 'readLog' | 'comparePositions'>;
  readonly views: Pick<ReadStore, 'loadCheckpoint' | 'find' | 'scan'> & {
    readonly parking: Pick<ReadStore['parking'], 'streams'>;
  };
  /** Whether the view may move on meanwhile. */
  readonly isRunning: boolean;
  /** How long to wait for a view that follows the log. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
};

export type ComparedView = {
  readonly checked: number;
  /** Keys whose document is not its fold. */
  readonly differing: readonly DocumentKey[];
  /** What else should be known: a view that is behind, and what is parked. */
  readonly remarks: readonly string[];
};

const looksMax = 8;
const betweenLooksMs = 250;

/**
 * A view against the fold of the log up to the view's own checkpoint, so that a view that lags is not wrong. While the
 * system runs, a view moves on between two looks: what differs is looked at again, at a newer checkpoint.
 */
export async function compareView(input: CompareInput, fold: ViewFold): Promise<ComparedView> {
  const { view } = fold.projection;
  const behind = await waitFor(input, fold);
  await moveToView(input, fold);
  let differing = await findDiffering(input, fold);
  const checked = fold.size();
  for (let look = 1; differing.length > 0 && look < looksMax; look += 1) {
    await wait(input.isRunning ? betweenLooksMs : 0, undefined, { signal: input.signal });
    const move = await viewPlace(input, fold);
    const found = await input.views.find(view, differing);
    await move();
    differing = differing.filter((key, index) => !isSame(fold, key, found[index] ?? null));
  }
  const remarks = [behind, parkedRemark(fold)].filter((remark) => remark !== null);
  return { checked: Math.max(checked, differing.length), differing, remarks };
}

/** Streams that a view left behind; what came before is in the view and compared. */
export async function parkedIn(views: CompareInput['views'], consumer: string): Promise<ParkedAt> {
  const streams = await views.parking.streams(consumer);
  return new Map(streams.map(({ stream, firstRevision }) => [stream, firstRevision]));
}

function parkedRemark(fold: ViewFold): string | null {
  const { size } = fold.parked();
  if (size === 0) return null;
  const orders = size === 1 ? '1 order is' : `${size} orders are`;
  return `${orders} parked in ${fold.projection.view.name}, compared as far as it goes: see order-center parking list`;
}

async function moveToView(input: CompareInput, fold: ViewFold): Promise<void> {
  await (
    await viewPlace(input, fold)
  )();
}

/** Where the view stands now; called, it moves the fold there. */
async function viewPlace(input: CompareInput, fold: ViewFold): Promise<() => Promise<void>> {
  const checkpoint = await checkpointOf(input, fold);
  const parked = await parkedIn(input.views, fold.projection.view.name);
  return () => fold.moveTo(input, checkpoint, parked);
}

/** @returns what to say where the view does not reach the log's end in time; null: it is there */
async function waitFor(input: CompareInput, fold: ViewFold): Promise<string | null> {
  const last = fold.last();
  const giveUpAt = Date.now() + (input.isRunning ? input.patienceMs : 0);
  for (;;) {
    if (last === null || isAtOrAfter(input, await checkpointOf(input, fold), last)) return null;
    const name = fold.projection.view.name;
    if (Date.now() >= giveUpAt) return `${name} is behind the log: compared up to its own checkpoint`;
    await wait(betweenLooksMs, undefined, { signal: input.signal });
  }
}

/** Every document of the view that is not its fold, and every fold that is not in the view. */
async function findDiffering(input: CompareInput, fold: ViewFold): Promise<readonly DocumentKey[]> {
  const differing: DocumentKey[] = [];
  let known = 0;
  for await (const { tenantId, key, document } of input.views.scan(fold.projection.view)) {
    input.signal.throwIfAborted();
    if (fold.has({ tenantId, key })) known += 1;
    if (!isSame(fold, { tenantId, key }, document)) differing.push({ tenantId, key });
  }
  return known === fold.size() ? differing : [...differing, ...(await findMissing(input, fold))];
}

/** Keys of rows are unique, so only where their count tells of it are the missing ones looked for. */
async function findMissing(input: CompareInput, fold: ViewFold): Promise<readonly DocumentKey[]> {
  const missing: DocumentKey[] = [];
  const ask = async (keys: readonly DocumentKey[]): Promise<void> => {
    const found = await input.views.find(fold.projection.view, keys);
    missing.push(...keys.filter((_, index) => found[index] === null));
  };
  let keys: DocumentKey[] = [];
  for (const key of fold.keys()) {
    keys.push(key);
    if (keys.length < keysAtOnce) continue;
    input.signal.throwIfAborted();
    await ask(keys);
    keys = [];
  }
  await ask(keys);
  return missing;
}

const keysAtOnce = 1_000;

function isSame(fold: ViewFold, key: DocumentKey, document: Document | null): boolean {
  return fold.digest(key) === (document === null ? null : digestOf(document));
}

function checkpointOf({ views }: CompareInput, { projection }: ViewFold): Promise<Position | null> {
  // The log is the only feed yet, and it has one partition.
  return views.loadCheckpoint(projection.view.name, 'log');
}

function isAtOrAfter({ store }: CompareInput, checkpoint: Position | null, place: Position): boolean {
  return checkpoint !== null && store.comparePositions(checkpoint, place) >= 0;
}
