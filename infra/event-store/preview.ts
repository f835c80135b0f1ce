import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { SubjectKeys } from '../subject-keys/port.ts';
import { newSubjectKey } from '../subject-keys/new-key.ts';
import type { Append, Appended, EventStore, Position } from './port.ts';
import type { StreamCache } from './stream-cache.ts';
import type { TransactRequest } from './transact.ts';

/**
 * The parts of a transactor that leave nothing behind: a dry run is decided and answered by the very code of the real
 * one. Its cache forgets what was decided, its keys are thrown away, and its store rehearses instead of appending.
 */
export function dryStore(store: EventStore): EventStore {
  return {
    ...store,
    append: async (append) => {
      const result = await store.rehearse(append);
      return result.outcome === 'appendable' ? projected(append) : result;
    },
  };
}

export function dryCache<State>(cache: StreamCache<State>): StreamCache<State> {
  return { ...cache, put: (_, folded, events) => cache.fold(folded, events) };
}

/** A box of the size that the real one would have; nobody can ever open it. */
export const thrownAwayKeys: Pick<SubjectKeys, 'current' | 'persist'> = {
  current: newSubjectKey,
  persist: () => Promise.resolve(),
};

/** Answers without events are recomputed, so that none is stored; and nothing has to be durable first. */
export function dryRequest<Command>(request: TransactRequest<Command>): TransactRequest<Command> {
  const { durableFirst: _, ...rest } = request;
  return { ...rest, answers: 'recomputed' };
}

/** The events as they would be recorded now, by this process's clock; their position is empty, for they have none. */
function projected(append: Append): Appended {
  const { stream, tenantId, origin, commandId, correlationId, causationId, expected } = append;
  const first = expected === 'none' ? 0 : expected + 1;
  const recordedAt = new Date().toISOString();
  const position = '' as Position;
  const events = append.events.map(({ occurredAt, ...event }, index) => ({
    ...event,
    ...{ position, stream, revision: first + index, tenantId, recordedAt },
    occurredAt: occurredAt == null ? (occurredAt === null ? null : recordedAt) : new Date(occurredAt).toISOString(),
    ...{ origin, commandId, correlationId, causationId },
  })) as unknown as readonly RecordedEvent[];
  return { outcome: 'appended', revision: first + events.length - 1, position, events };
}
