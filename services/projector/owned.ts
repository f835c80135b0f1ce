import { LRUCache } from 'lru-cache';
import type { Checkpoint } from '../../infra/event-feed/port.ts';
import type { ParkedStream } from '../../infra/read-store/parking.ts';
import type { Document, DocumentKey, Place, Progress } from '../../infra/read-store/port.ts';
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
  readonly parked: readonly ParkedStream[];
};

/**
 * The last committed rows of a partition, so that hot orders are not read before each batch. True only while this
 * process owns the place (its checkpoint, and the turn that who mends what is parked takes), hence forgotten with any
 * failure. A document's events must come through one partition: ours are keyed by order.
 */
export type Owned<D extends Document> = {
  readonly checkpoint: Checkpoint | null;
  readonly turn: string;
  /** undefined: not remembered; ask the read store. */
  document(key: DocumentKey): { readonly document: D | null } | undefined;
  progress(stream: StreamName): Progress | undefined;
  /** Every parked stream of the view: who is not in it is not parked. */
  readonly parked: ReadonlyMap<StreamName, ParkedStream>;
  keep(kept: Kept<D>): void;
};

export function openOwned<D extends Document>(place: Place): Owned<D> {
  const documents = new LRUCache<string, { readonly document: D | null }>({ max: documentsMax });
  const streams = new LRUCache<StreamName, Progress>({ max: streamsMax });
  const parked = new Map(place.parked.map((each) => [each.stream, each]));
  let { checkpoint } = place;
  return {
    get checkpoint() {
      return checkpoint;
    },
    turn: place.turn,
    document: (key) => documents.get(placeOf(key)),
    progress: (stream) => streams.get(stream),
    parked,
    keep: (kept) => {
      checkpoint = kept.checkpoint;
      for (const { document, ...key } of kept.documents) documents.set(placeOf(key), { document });
      for (const each of kept.progress) streams.set(each.stream, each);
      for (const each of kept.parked) parked.set(each.stream, each);
    },
  };
}

export function placeOf({ tenantId, key }: DocumentKey): string {
  return `${tenantId}\n${key}`;
}
