import type { Document, DocumentKey } from '../../../infra/read-store/port.ts';
import type { Projection } from '../../../projections/projection.ts';
import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';
import { categoryOf } from '../../../schemas/ids.ts';
import type { Revision, StreamName, TenantId } from '../../../schemas/ids.ts';
import { openDocumentArchive, type Digest, type DocumentArchive } from './document-archive.ts';
import { eventsUpTo, type Log } from './log.ts';

/** Streams that a view left behind, with the first revision that it has not taken. */
export type ParkedAt = ReadonlyMap<StreamName, Revision>;

/** What a view must hold: the fold of the log up to a place, but for what is parked. */
export type ViewFold = {
  readonly projection: Projection;
  readonly apply: (event: RecordedEvent) => void;
  /** The last event of the view's categories that was applied; null: none yet. */
  readonly last: () => Position | null;
  readonly parked: () => ParkedAt;
  /** Folds on to a place, or anew where the fold is past it, or where other streams are parked than before. */
  readonly moveTo: (log: Log, place: Position | null, parked: ParkedAt) => Promise<void>;
  readonly get: (key: DocumentKey) => Document | null;
  /** null: no such document. */
  readonly digest: (key: DocumentKey) => Digest | null;
  readonly has: (key: DocumentKey) => boolean;
  readonly size: () => number;
  readonly keys: () => Iterable<DocumentKey>;
  readonly close: () => void;
};

export function openViewFold(projection: Projection, parkedFirst: ParkedAt = new Map()): ViewFold {
  let archive = openDocumentArchive();
  let last: Position | null = null;
  let parked = parkedFirst;
  // Streams that this code cannot fold: as the projector does, they are left as they were before the event.
  const stopped = new Map<StreamName, Revision>();

  const apply = (event: RecordedEvent): void => {
    const { stream, revision } = event;
    if (!projection.categories.includes(categoryOf(stream))) return;
    last = event.position;
    const until = parked.get(stream) ?? stopped.get(stream);
    if (until !== undefined && revision >= until) return;
    const documents = foldOne(projection, event, archive);
    if (documents === null) stopped.set(stream, revision);
    else for (const [at, document] of documents) archive.set(at, document);
  };
  const forget = (): void => {
    archive.close();
    archive = openDocumentArchive();
    stopped.clear();
    last = null;
  };
  return {
    projection,
    apply,
    last: () => last,
    parked: () => parked,
    moveTo: async (log, place, parkedNow) => {
      const isPast = last !== null && (place === null || log.store.comparePositions(last, place) > 0);
      const isOther = !isSameParking(parked, parkedNow);
      parked = parkedNow;
      if (isPast || isOther) forget();
      for await (const event of eventsUpTo(log, { after: last, to: place })) apply(event);
    },
    get: (key) => archive.get(joined(key)),
    digest: (key) => archive.digest(joined(key)),
    has: (key) => archive.has(joined(key)),
    size: () => archive.size(),
    keys: () => partedAll(archive.keys()),
    close: () => archive.close(),
  };
}

/** null: the projection cannot fold this event. */
function foldOne(
  projection: Projection,
  event: RecordedEvent,
  archive: DocumentArchive,
): ReadonlyMap<string, Document | null> | null {
  const documents = new Map<string, Document | null>();
  try {
    for (const change of projection.changes(event)) {
      const at = joined(change);
      documents.set(at, change.update(documents.has(at) ? (documents.get(at) ?? null) : archive.get(at)));
    }
    return documents;
  } catch {
    return null;
  }
}

function isSameParking(a: ParkedAt, b: ParkedAt): boolean {
  return a.size === b.size && [...a].every(([stream, revision]) => b.get(stream) === revision);
}

/** The folds of all views, made once for all checks that ask for them. */
export type ViewFolds = {
  /** Asked for before the log is read. */
  readonly all: () => readonly ViewFold[];
  readonly apply: (event: RecordedEvent) => void;
  readonly close: () => void;
};

export function openViewFolds(projections: readonly Projection[]): ViewFolds {
  let folds: readonly ViewFold[] = [];
  return {
    all: () => {
      if (folds.length === 0) folds = projections.map((projection) => openViewFold(projection));
      return folds;
    },
    apply: (event) => {
      for (const fold of folds) fold.apply(event);
    },
    close: () => {
      for (const fold of folds) fold.close();
    },
  };
}

/** A tenant's id has no space, so the first one parts the two. */
function joined({ tenantId, key }: DocumentKey): string {
  return `${tenantId} ${key}`;
}

function* partedAll(texts: Iterable<string>): Iterable<DocumentKey> {
  for (const text of texts) {
    const at = text.indexOf(' ');
    yield { tenantId: text.slice(0, at) as TenantId, key: text.slice(at + 1) };
  }
}
