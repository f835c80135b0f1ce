import { isOperationalFailure } from '../../infra/failures.ts';
import type { ErrorCode } from '../../schemas/error-codes.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { SagaCommand } from './commands.ts';
import { waitMs, type FulfillmentLimits } from './limits.ts';
import type { Clock, Observation, Observe } from './observe.ts';
import type { World } from './ports.ts';
import type { CallStep } from './saga.ts';
import type { Saga } from './saga-state.ts';
import { stepNamed } from './steps/steps.ts';
import type { SagaStep, StepCall, StepOutcome } from './steps/step.ts';

export type StepCaller = {
  readonly world: World;
  readonly steps: readonly SagaStep[];
  readonly limits: FulfillmentLimits;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly observe: Observe;
};

export type SagaKey = { readonly tenantId: TenantId; readonly orderId: OrderId };

/**
 * Failures before any call was made: the attempt stands as it is recorded, and nothing is written. An outage of a
 * gateway would otherwise fill the log with the failures of every waiting saga, and their timers.
 */
const withoutCall: readonly ErrorCode[] = ['BREAKER_OPEN', 'OVERLOADED'];

/**
 * Makes the call of a recorded attempt, and says what to record of it; a bug is recorded as well.
 * @throws OperationalFailure BREAKER_OPEN, OVERLOADED where no call was made: drive it again later
 */
export async function callStep(
  caller: StepCaller,
  of: { readonly key: SagaKey; readonly saga: Saga; readonly effect: CallStep; readonly isRepeat: boolean },
): Promise<SagaCommand> {
  const { key, effect } = of;
  const { step, direction, attempt } = effect;
  const startedAt = caller.clock.now();
  const report = (outcome: Extract<Observation, { readonly what: 'step' }>['outcome'], code: string | null): void => {
    const durationMs = caller.clock.now() - startedAt;
    caller.observe({ what: 'step', orderId: key.orderId, step, direction, outcome, code, durationMs });
  };
  try {
    const outcome = await stepNamed(caller.world, caller.steps, step)[direction](stepCall(of));
    report(outcome.outcome, 'code' in outcome ? outcome.code : null);
    return commandOf(caller, effect, outcome);
  } catch (error) {
    if (isOperationalFailure(error)) {
      if (withoutCall.includes(error.code)) throw error;
      report('failed', error.code);
      const range = { firstMs: caller.limits.retryFirstMs, maxMs: caller.limits.retryMaxMs };
      const { failures } = effect;
      const retryInMs = waitMs(range, failures, caller.random());
      return { type: 'RecordStepFailed', step, direction, attempt, code: error.code, failures, retryInMs };
    }
    report('bug', 'INTERNAL');
    caller.observe({ what: 'bug', orderId: key.orderId, step, error });
    // The error's text may hold anything; its name does not.
    const detail = error instanceof Error ? error.name : 'an unknown error';
    return { type: 'Quarantine', step, direction, attempt, code: 'INTERNAL', detail };
  }
}

function commandOf(caller: StepCaller, effect: CallStep, outcome: StepOutcome): SagaCommand {
  const { step, direction, attempt, waits } = effect;
  const of = { step, direction, attempt };
  switch (outcome.outcome) {
    case 'succeeded':
      return { type: 'RecordStepSucceeded', ...of, result: outcome.result };
    case 'refused':
      return { type: 'RecordStepRefused', ...of, code: outcome.code };
    case 'stuck':
      return { type: 'Quarantine', ...of, code: outcome.code, detail: outcome.detail };
    case 'waiting': {
      const range = { firstMs: caller.limits.deliveryCheckFirstMs, maxMs: caller.limits.deliveryCheckMaxMs };
      return { type: 'RecordStepWaiting', ...of, waits, checkInMs: waitMs(range, waits, caller.random()) };
    }
  }
}

function stepCall({ key, saga, effect, isRepeat }: Parameters<typeof callStep>[1]): StepCall {
  const { order, step, direction, attempt, effectKey, undoes } = effect;
  return {
    ...key,
    order,
    step,
    direction,
    attempt,
    effectKey,
    isRepeat,
    results: Object.fromEntries(saga.done.map((each) => [each.step, each.result])),
    undoes:
      undoes === null
        ? null
        : { result: undoes.result, effectKey: `${saga.order.orderId}/${undoes.step}/${undoes.attempt}` },
    reason: saga.reason,
    correlationId: saga.trace?.correlationId ?? saga.order.orderId,
    causationId: saga.trace?.eventId ?? null,
  };
}
