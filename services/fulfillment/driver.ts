import type { Transactor } from '../../infra/event-store/transact.ts';
import { isOperationalFailure } from '../../infra/failures.ts';
import { derivedCommandId, fulfillmentStream } from '../../schemas/ids.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { callStep, type SagaKey, type StepCaller } from './call-step.ts';
import type { SagaCommand } from './commands.ts';
import { openDriveSlots } from './drive-slots.ts';
import { nextEffect } from './saga.ts';
import type { Saga, SagaState } from './saga-state.ts';

/** What a transact just told: saves the drive from reading the stream again. */
export type KnownSaga = { readonly state: SagaState; readonly events: readonly RecordedEvent[] };

/** `idle`: nothing to do now; `stopped`: the world or a bug stopped it, and it must be driven again. */
export type DriveEnd = 'idle' | 'stopped';

/**
 * Drives sagas: asks what they want, does it, records the outcome, until they want nothing. One drive at a time for
 * each order in this process; two processes that drive the same saga ask under the same keys, and the second outcome
 * changes nothing.
 */
export type Driver = {
  /** Drives a saga, or makes the drive that is under way look again. Never throws. */
  readonly drive: (key: SagaKey, known?: KnownSaga) => Promise<DriveEnd>;
  readonly isActive: (key: SagaKey) => boolean;
  /** Resolves when more work may be brought. */
  readonly room: () => Promise<void>;
  /** Resolves when nothing is driven. */
  readonly idle: () => Promise<void>;
  /** Drives end at their next boundary from now on. */
  readonly stop: () => void;
  readonly status: () => { readonly running: number; readonly waiting: number };
};

export type DriverOptions = StepCaller & { readonly transactor: Transactor<SagaState, SagaCommand> };

type Active = {
  /** What the next look begins with. Whoever asks while it is active knows more than what was handed in first. */
  known: KnownSaga | 'read-again';
  wakes: number;
  end: Promise<DriveEnd>;
};

function wantsAnotherLook(entry: Active): boolean {
  if (entry.wakes === 0) return false;
  entry.wakes = 0;
  return true;
}

export function openDriver(options: DriverOptions): Driver {
  const slots = openDriveSlots(options.limits);
  const active = new Map<string, Active>();
  let isStopped = false;

  const forget = (key: SagaKey, entry: Active): void => {
    if (active.get(nameOf(key)) === entry) active.delete(nameOf(key));
  };

  const driveUntilIdle = async (key: SagaKey, entry: Active): Promise<DriveEnd> => {
    for (;;) {
      const known = entry.known;
      entry.known = 'read-again';
      const end = isStopped ? 'stopped' : await driveOnce(options, { key, known, isStopped: () => isStopped });
      if (end === 'idle' && wantsAnotherLook(entry)) continue;
      // Here, not where this promise is awaited: whoever asks in a microtask between would be told an end without a look.
      forget(key, entry);
      return end;
    }
  };

  const begin = (key: SagaKey, known: KnownSaga | undefined): Promise<DriveEnd> => {
    const entry: Active = { known: known ?? 'read-again', wakes: 0, end: Promise.resolve('idle') };
    active.set(nameOf(key), entry);
    // Also where a bug ends it: a saga that is taken for active is never driven again.
    entry.end = slots.run(() => driveUntilIdle(key, entry).finally(() => forget(key, entry)));
    return entry.end;
  };

  return {
    drive: (key, known) => {
      const running = active.get(nameOf(key));
      if (running === undefined) return begin(key, known);
      running.known = 'read-again';
      running.wakes += 1;
      return running.end;
    },
    isActive: (key) => active.has(nameOf(key)),
    room: slots.room,
    idle: slots.idle,
    stop: () => {
      isStopped = true;
    },
    status: slots.status,
  };
}

type Drive = { readonly key: SagaKey; readonly known: KnownSaga | 'read-again'; readonly isStopped: () => boolean };

async function driveOnce(options: DriverOptions, { key, known, isStopped }: Drive): Promise<DriveEnd> {
  try {
    let current: KnownSaga = known === 'read-again' ? await loaded(options, key) : known;
    for (let steps = 0; steps < options.limits.stepsPerDriveMax; steps += 1) {
      const { state, events } = current;
      const effect = nextEffect(state);
      if (state.status === 'Unstarted' || effect === null) return 'idle';
      if (isStopped()) return 'stopped';
      const isRepeat = !hasAttempted(events, effect);
      const command = await callStep(options, { key, saga: state, effect, isRepeat });
      current = await record(options, { key, saga: state, command });
      noteEnd(options, key, current);
    }
    return 'stopped';
  } catch (error) {
    const { orderId } = key;
    if (isOperationalFailure(error)) options.observe({ what: 'drive-stopped', orderId, code: error.code });
    else options.observe({ what: 'bug', orderId, step: null, error });
    return 'stopped';
  }
}

async function loaded({ transactor }: DriverOptions, { tenantId, orderId }: SagaKey): Promise<KnownSaga> {
  const { state } = await transactor.load(tenantId, fulfillmentStream(orderId));
  return { state, events: [] };
}

/** Whether this process has just recorded the attempt: then its call was never made. */
function hasAttempted(events: readonly RecordedEvent[], { effectKey }: { readonly effectKey: string }): boolean {
  return events.some(({ type, data }) => type === 'StepAttempted' && data.effectKey === effectKey);
}

async function record(
  { transactor }: DriverOptions,
  { key, saga, command }: { readonly key: SagaKey; readonly saga: Saga; readonly command: SagaCommand },
): Promise<KnownSaga> {
  const stream = fulfillmentStream(key.orderId);
  const name = commandName(command);
  const answer = await transactor.transact({
    tenantId: key.tenantId,
    stream,
    commandId: derivedCommandId(stream, name),
    command,
    // The wait's jitter differs each time it is decided; it is the same command all the same.
    payload: { type: command.type, name },
    correlationId: saga.trace?.correlationId ?? key.orderId,
    causationId: saga.trace?.eventId ?? null,
    answers: 'recomputed',
  });
  if (answer.outcome === 'accepted') return { state: answer.state, events: answer.events };
  if (answer.outcome === 'rejected') throw new Error(`a saga refused ${name}: ${answer.rejection.code}`);
  throw new Error(`a saga's own command ${name} met ${answer.outcome}`);
}

function commandName(command: SagaCommand): string {
  if (!('attempt' in command)) throw new Error(`${command.type} is not an outcome`);
  const { type, step, direction, attempt } = command;
  const count = 'failures' in command ? command.failures : 'waits' in command ? command.waits : 0;
  return `${type}/${step}/${direction}/${attempt}/${count}`;
}

function noteEnd({ observe }: DriverOptions, { orderId }: SagaKey, { state, events }: KnownSaga): void {
  const hasEnded = events.some(({ type }) => ends.includes(type));
  if (hasEnded && state.status !== 'Unstarted') observe({ what: 'saga-ended', orderId, status: state.status });
}

const ends: readonly string[] = ['FulfillmentCompleted', 'FulfillmentCompensated', 'FulfillmentQuarantined'];

function nameOf({ tenantId, orderId }: SagaKey): string {
  return `${tenantId}/${orderId}`;
}
