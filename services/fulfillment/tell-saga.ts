import type { TransactAnswer, Transactor } from '../../infra/event-store/transact.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { derivedCommandId, fulfillmentStream, type EventId } from '../../schemas/ids.ts';
import type { SagaKey } from './call-step.ts';
import type { SagaCommand } from './commands.ts';
import type { KnownSaga } from './driver.ts';
import type { SagaState } from './saga-state.ts';

export type Telling = {
  readonly key: SagaKey;
  /** Names the cause, so that the same cause told again changes nothing. */
  readonly name: string;
  readonly command: SagaCommand;
  readonly correlationId: string;
  readonly causationId: EventId | null;
};

/**
 * Tells a saga what happened outside of it.
 * @throws OperationalFailure of the transactor; IDEMPOTENCY_KEY_IN_PROGRESS (retryable) while a twin runs
 */
export async function tellSaga(transactor: Transactor<SagaState, SagaCommand>, telling: Telling): Promise<KnownSaga> {
  const { key, name, command, correlationId, causationId } = telling;
  const stream = fulfillmentStream(key.orderId);
  const answer: TransactAnswer<SagaState> = await transactor.transact({
    tenantId: key.tenantId,
    stream,
    commandId: derivedCommandId(stream, name),
    command,
    payload: { type: command.type, name },
    correlationId,
    causationId,
    answers: 'recomputed',
    startsStream: command.type === 'StartFulfillment',
  });
  switch (answer.outcome) {
    case 'accepted':
      return { state: answer.state, events: answer.events };
    case 'in-progress':
      throw new OperationalFailure('IDEMPOTENCY_KEY_IN_PROGRESS', `${name} of ${stream}`, { retryable: true });
    case 'rejected':
    case 'key-reused':
    case 'version-mismatch':
      throw new Error(`${stream} answered ${name} with ${answer.outcome}`);
  }
}
