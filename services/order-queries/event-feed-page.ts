import type { EventStore } from '../../infra/event-store/port.ts';
import { isPosition } from '../../infra/event-store/position.ts';
import { isOperationalFailure } from '../../infra/failures.ts';
import { reject } from '../../schemas/decision.ts';
import type { Position, RecordedEvent } from '../../schemas/envelope.ts';
import type { Category, TenantId } from '../../schemas/ids.ts';
import type { Refused } from './list-orders.ts';

export type EventsQuery = {
  readonly tenantId: TenantId;
  /** A checkpoint as it was given; absent: from the beginning. Exclusive. */
  readonly after?: string | undefined;
  /** order and stock if absent. */
  readonly categories?: readonly Category[] | undefined;
  readonly types?: readonly string[] | undefined;
  /** Recorded times, ISO: from inclusive, to exclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** 1 to 5,000. */
  readonly limit: number;
};

export type EventsPage = {
  readonly outcome: 'page';
  /** Oldest first, sealed fields closed. */
  readonly events: readonly RecordedEvent[];
  /** To be given as `after` next; null: the log is empty. */
  readonly checkpoint: Position | null;
  readonly atEnd: boolean;
};

/** Pages read for one answer: where other tenants fill the log, an answer may be short and the checkpoint goes on. */
const pagesMax = 20;

/** One tenant's part of the log. Rejects with INVALID_CURSOR what is no position of this store. */
export async function readEvents(store: EventStore, query: EventsQuery): Promise<EventsPage | Refused> {
  const { after } = query;
  if (after !== undefined && !isPosition(after)) return refused();
  try {
    return await readTenantEvents(store, query, after ?? null);
  } catch (error) {
    if (after !== undefined && isOperationalFailure(error, 'FOREIGN_STORE')) return refused();
    throw error;
  }
}

async function readTenantEvents(store: EventStore, query: EventsQuery, after: Position | null): Promise<EventsPage> {
  const { tenantId, categories = ['order', 'stock'], types, from, to, limit } = query;
  const filter = {
    categories,
    ...(types === undefined ? {} : { types }),
    ...(from === undefined ? {} : { recordedFrom: from }),
    ...(to === undefined ? {} : { recordedTo: to }),
  };
  const events: RecordedEvent[] = [];
  let checkpoint = after;
  let atEnd = false;
  for (let page = 0; page < pagesMax && events.length < limit && !atEnd; page += 1) {
    const read = await store.readLog({ after: checkpoint, ...filter, limit: limit - events.length });
    events.push(...read.events.filter((event) => event.tenantId === tenantId));
    ({ checkpoint, atEnd } = read);
  }
  return { outcome: 'page', events, checkpoint, atEnd };
}

function refused(): Refused {
  return reject('INVALID_CURSOR', 'after is no position of this store') as Refused;
}
