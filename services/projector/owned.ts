import { LRUCache } from 'lru-cache';
import type { Checkpoint } from '../../infra/event-feed/port.ts';
import type { Document, DocumentKey, Progress } from '../../infra/read-store/port.ts';
import type { StreamName } from '../../schemas/ids.ts';

/** What one projector remembers of one partition; some 30 MB at most for usual orders. */
const documentsMax = 5_000;
const streamsMax = 20_000;

/** A document as it will be in the view: null: none. */
export type Folded<D extends Document> = DocumentKey & { readonly document: D | null };

type Kept<D extends Document> = {
  readonly checkpoint: Checkpoint;
  readonly documents: readonly Folded<D>[];
  readonly progress: readonly Progress[];
};

/**
 * The last committed rows of a partition, so that hot orders are not read before each batch. True only while this
 * process owns the checkpoint, hence forgotten with any failure. A document's events must come through one partition:
 * ours are keyed by order.
 */
export type Owned<D extends Document> = {
  readonly checkpoint: Checkpoint | null;
  /** undefined: not remembered; ask the read store. */
  document(key: DocumentKey): { readonly document: D | null } | undefined;
  progress(stream: StreamName): Progress | undefined;
  keep(kept: Kept<D>): void;
};

export function openOwned<D extends Document>(stored: Checkpoint | null): Owned<D> {
  const documents = new LRUCache<string, { readonly document: D | null }>({ max: documentsMax });
  const streams = new LRUCache<StreamName, Progress>({ max: streamsMax });
  let checkpoint = stored;
  return {
    get checkpoint() {
      return checkpoint;
    },
    document: (key) => documents.get(placeOf(key)),
    progress: (stream) => streams.get(stream),
    keep: (kept) => {
      checkpoint = kept.checkpoint;
      for (const { document, ...key } of kept.documents) documents.set(placeOf(key), { document });
      for (const each of kept.progress) streams.set(each.stream, each);
    },
  };
}

export function placeOf({ tenantId, key }: DocumentKey): string {
  return `${tenantId}\n${key}`;
}
