import type { EventStore, LogPage } from '../../../infra/event-store/port.ts';
import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';

export type Log = { readonly store: Pick<EventStore, 'readLog' | 'comparePositions'>; readonly signal: AbortSignal };

const pageSize = 2_000;

/**
 * The log after one position, in pages, to where it ends: no other word of the store is believed about its end. The
 * next page is read while the last one is worked on.
 */
export async function* eventsOf({ store, signal }: Log, after: Position | null): AsyncGenerator<RecordedEvent> {
  const pageAfter = (place: Position | null): Promise<LogPage> => {
    const page = store.readLog({ after: place, limit: pageSize });
    // Whoever stops reading never asks for it.
    page.catch(() => undefined);
    return page;
  };
  let next = pageAfter(after);
  for (;;) {
    signal.throwIfAborted();
    const { events, atEnd } = await next;
    const last = events.at(-1);
    const isLast = atEnd || last === undefined;
    if (!isLast) next = pageAfter(last.position);
    yield* events;
    if (isLast) return;
  }
}

/** The same up to and with another position; nothing where `to` is null. */
export async function* eventsUpTo(
  log: Log,
  { after, to }: { readonly after: Position | null; readonly to: Position | null },
): AsyncGenerator<RecordedEvent> {
  if (to === null) return;
  for await (const event of eventsOf(log, after)) {
    if (log.store.comparePositions(event.position, to) > 0) return;
    yield event;
  }
}
