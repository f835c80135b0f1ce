import type { Decided, DecidedEvent } from '../../schemas/decision.ts';
import { latestSchemaOf } from '../../schemas/event-registry.ts';
import { newEventId } from '../../schemas/ids.ts';
import type { SubjectKeys } from '../subject-keys/port.ts';
import { seal } from '../subject-keys/seal.ts';
import type { Append, NewEvent } from './port.ts';
import type { TransactRequest } from './transact.ts';

type Keys = Pick<SubjectKeys, 'current' | 'persist'>;

type Decision<E extends DecidedEvent> = {
  readonly hash: string;
  /** -1 for a new stream. */
  readonly expected: number;
  readonly decided: readonly Decided<E>[];
};

/**
 * Turns decided events into rows: ids fixed before the first send, personal data sealed with a key that is durable
 * before the append that needs it.
 */
export async function prepareAppend<Command, E extends DecidedEvent>(
  request: TransactRequest<Command>,
  decision: Decision<E>,
  keys: Keys | undefined,
): Promise<Append> {
  const [events] = await Promise.all([
    Promise.all(decision.decided.map((decided) => newEvent(decided, keys))),
    request.durableFirst?.(),
  ]);
  const claim = decision.decided[0]?.claim;
  return {
    stream: request.stream,
    tenantId: request.tenantId,
    expected: decision.expected < 0 ? 'none' : decision.expected,
    commandId: request.commandId,
    commandHash: decision.hash,
    origin: request.origin ?? 'live',
    correlationId: request.correlationId,
    causationId: request.causationId,
    ...(claim === undefined ? {} : { claim }),
    events,
  };
}

async function newEvent<E extends DecidedEvent>(decided: Decided<E>, keys: Keys | undefined): Promise<NewEvent> {
  const eventId = newEventId();
  const { type, data } = decided.event;
  const schemaVersion = latestSchemaOf(type).version;
  const { occurredAt, personal } = decided;
  if (personal === undefined) return { eventId, type, schemaVersion, occurredAt, data };
  if (keys === undefined) throw new Error(`${type} carries personal data, and the transactor has no subject keys`);
  const key = keys.current(personal.subject);
  await keys.persist(key);
  return { eventId, type, schemaVersion, occurredAt, data: { ...data, sealed: seal(key, eventId, personal.value) } };
}
