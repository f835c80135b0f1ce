import type { Document, DocumentKey } from '../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { placeOf, type Folded, type Owned } from './owned.ts';
import type { RunProjectorOptions } from './projector.ts';

/** The documents that the events change, as they are after them: read once, folded in memory, written once. */
export async function foldBatch<D extends Document>(
  options: RunProjectorOptions<D>,
  owned: Owned<D>,
  events: readonly RecordedEvent[],
): Promise<readonly Folded<D>[]> {
  const changes = events.flatMap((event) => options.projection.changes(event));
  const before = await documentsOf(options, owned, changes);
  const after = new Map(before);
  for (const change of changes) {
    const place = placeOf(change);
    const current = after.get(place)?.document ?? null;
    const { tenantId, key } = change;
    after.set(place, { tenantId, key, document: change.update(current) });
  }
  return [...after].filter(([place, { document }]) => before.get(place)?.document !== document).map(([, row]) => row);
}

async function documentsOf<D extends Document>(
  { readStore, projection }: RunProjectorOptions<D>,
  owned: Owned<D>,
  keys: readonly DocumentKey[],
): Promise<ReadonlyMap<string, Folded<D>>> {
  const documents = new Map<string, Folded<D>>();
  const unknown = new Map<string, DocumentKey>();
  for (const { tenantId, key } of keys) {
    const place = placeOf({ tenantId, key });
    const remembered = owned.document({ tenantId, key });
    if (remembered === undefined) unknown.set(place, { tenantId, key });
    else documents.set(place, { tenantId, key, ...remembered });
  }
  if (unknown.size === 0) return documents;
  const found = await readStore.find(projection.view, [...unknown.values()]);
  for (const [index, [place, key]] of [...unknown].entries()) {
    documents.set(place, { ...key, document: found[index] ?? null });
  }
  return documents;
}
