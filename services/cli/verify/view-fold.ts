import type { Document, DocumentKey } from '../../../infra/read-store/port.ts';
import type { Projection } from '../../../projections/projection.ts';
import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';
import { categoryOf } from '../../../schemas/ids.ts';
import type { TenantId } from '../../../schemas/ids.ts';
import { openDocumentArchive } from './document-archive.ts';
import { eventsUpTo, type Log } from './log.ts';

/** What a view must hold: the fold of the log up to a place. */
export type ViewFold = {
  readonly projection: Projection;
  readonly apply: (event: RecordedEvent) => void;
  /** The last event of the view's categories that was applied; null: none yet. */
  readonly last: () => Position | null;
  /** Folds on to a place, or anew where the fold is already past it. */
  readonly moveTo: (log: Log, place: Position | null) => Promise<void>;
  readonly get: (key: DocumentKey) => Document | null;
  readonly has: (key: DocumentKey) => boolean;
  readonly size: () => number;
  readonly keys: () => Iterable<DocumentKey>;
  readonly close: () => void;
};

export function openViewFold(projection: Projection): ViewFold {
  let archive = openDocumentArchive();
  let last: Position | null = null;
  const apply = (event: RecordedEvent): void => {
    if (!projection.categories.includes(categoryOf(event.stream))) return;
    last = event.position;
    for (const change of projection.changes(event)) {
      const at = joined(change);
      archive.set(at, change.update(archive.get(at)));
    }
  };
  const forget = (): void => {
    archive.close();
    archive = openDocumentArchive();
    last = null;
  };
  return {
    projection,
    apply,
    last: () => last,
    moveTo: async (log, place) => {
      const isPast = last !== null && (place === null || log.store.comparePositions(last, place) > 0);
      if (isPast) forget();
      for await (const event of eventsUpTo(log, { after: last, to: place })) apply(event);
    },
    get: (key) => archive.get(joined(key)),
    has: (key) => archive.has(joined(key)),
    size: () => archive.size(),
    keys: () => partedAll(archive.keys()),
    close: () => archive.close(),
  };
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
      if (folds.length === 0) folds = projections.map(openViewFold);
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
