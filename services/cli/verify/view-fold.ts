import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';
import { categoryOf } from '../../../schemas/ids.ts';
import type { TenantId } from '../../../schemas/ids.ts';
import type { Projection } from '../../../projections/projection.ts';
import type { Document, DocumentKey } from '../../../infra/read-store/port.ts';
import { openDocumentArchive } from './document-archive.ts';
import type { VerifyInput } from './invariant.ts';
import { eventsUpTo } from './verify.ts';

/** What a view must hold: the fold of the log up to a place. */
export type ViewFold = {
  readonly apply: (event: RecordedEvent) => void;
  /** The last event of the view's categories that was applied; null: none yet. */
  readonly last: () => Position | null;
  /** Folds on to a place, or anew where the fold is already past it. */
  readonly moveTo: (input: VerifyInput, place: Position | null) => Promise<void>;
  readonly get: (key: DocumentKey) => Document | null;
  readonly keys: () => readonly DocumentKey[];
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
    archive = openDocumentArchive();
    last = null;
  };
  return {
    apply,
    last: () => last,
    moveTo: async (input, place) => {
      const isPast = last !== null && (place === null || input.store.comparePositions(last, place) > 0);
      if (isPast) forget();
      for await (const event of eventsUpTo(input, { after: last, to: place })) apply(event);
    },
    get: (key) => archive.get(joined(key)),
    keys: () => Array.from(archive.keys(), parted),
  };
}

/** A tenant's id has no space, so the first one parts the two. */
function joined({ tenantId, key }: DocumentKey): string {
  return `${tenantId} ${key}`;
}

function parted(text: string): DocumentKey {
  const at = text.indexOf(' ');
  return { tenantId: text.slice(0, at) as TenantId, key: text.slice(at + 1) };
}
