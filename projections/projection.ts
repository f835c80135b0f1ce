import type { RecordedEvent } from '../schemas/envelope.ts';
import type { Category, TenantId } from '../schemas/ids.ts';
import type { Document, View } from '../infra/read-store/port.ts';

/** A change of one document: pure, from what is there (null: nothing yet) to what shall be (null: nothing). */
export type Change<D extends Document = Document> = {
  readonly tenantId: TenantId;
  readonly key: string;
  /** The same object back: nothing changes, nothing is written. */
  update(current: D | null): D | null;
};

/**
 * A projection is a function from an event to changes. The projector applies them and the checkpoint in one
 * transaction; readers fold them live; a rebuild is the same fold from nothing. It must be total: every event of its
 * categories gives changes or none, whatever came before.
 */
export type Projection<D extends Document = Document> = {
  readonly view: View<D>;
  readonly categories: readonly Category[];
  /**
   * Events of several orders change one document. A document's events must come through one partition, else two owners
   * fold into it at once and one's additions are lost: such a view follows the store's log, which has one partition,
   * also where others follow Kafka, whose partitions are keyed by order (docs/decisions/0011). Without it the projector
   * takes a stream that begins to have no document yet.
   */
  readonly sharedDocuments?: true;
  readonly changes: (event: RecordedEvent) => readonly Change<D>[];
};

/** Folds events into one document: the view of `key` after them, whatever the read store has seen. */
export function foldDocument<D extends Document>(
  projection: Projection<D>,
  events: readonly RecordedEvent[],
  start: { readonly key: string; readonly document: D | null },
): D | null {
  let document = start.document;
  for (const event of events) {
    for (const change of projection.changes(event)) if (change.key === start.key) document = change.update(document);
  }
  return document;
}
