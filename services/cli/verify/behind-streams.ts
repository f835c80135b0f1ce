import type { EventStore } from '../../../infra/event-store/port.ts';
import type { DocumentKey, ReadStore } from '../../../infra/read-store/port.ts';
import { orderIdOfStream, orderStream, type Revision, type StreamName } from '../../../schemas/ids.ts';

export type BehindInput = {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly views: Pick<ReadStore, 'scanProgress'>;
};

const readsAtOnce = 64;

/** Of documents of single orders those whose view has not seen all events of their order: they cannot be its fold yet. */
export async function behindOf(
  { store, views }: BehindInput,
  consumer: string,
  keys: readonly DocumentKey[],
): Promise<ReadonlySet<DocumentKey>> {
  const seen = new Map<string, Map<StreamName, Revision>>(
    keys.map(({ key }) => [key, new Map([[orderStream(key as Parameters<typeof orderStream>[0]), -1]])]),
  );
  for await (const { stream, revision } of views.scanProgress(consumer)) {
    seen.get(orderIdOfStream(stream) ?? '')?.set(stream, revision);
  }
  const behind = new Set<DocumentKey>();
  for (let from = 0; from < keys.length; from += readsAtOnce) {
    const batch = keys.slice(from, from + readsAtOnce);
    await Promise.all(
      batch.map(async (key) => {
        for (const [stream, revision] of seen.get(key.key) ?? []) {
          const next = await store.readStream({ stream, fromRevision: revision + 1, limit: 1 });
          if (next.length > 0) behind.add(key);
        }
      }),
    );
  }
  return behind;
}
