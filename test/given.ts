import { expect } from 'vitest';
import type { Decider } from '../infra/event-store/decider.ts';
import type { Decided, DecidedEvent, Decision } from '../schemas/decision.ts';
import type { ErrorCode } from '../schemas/error-codes.ts';

/** Sentences about one decider: `given(...events).when(command).then(...events)`. */
export function scenariosOf<State, Command, E extends DecidedEvent>(decider: Decider<State, Command, E>) {
  return {
    given: (...events: readonly E[]) => {
      const state = foldAll(decider, events);
      return { state, when: (command: Command) => outcome(decider.decide(command, state)) };
    },
  };
}

export function foldAll<State, Command, E extends DecidedEvent>(
  decider: Decider<State, Command, E>,
  events: readonly E[],
): State {
  return events.reduce<State>((state, event) => decider.evolve(state, event), decider.initial);
}

/** Decides commands one after the other, as `transact` does: the history that they make. Rejected ones make nothing. */
export function historyOf<State, Command, E extends DecidedEvent>(
  decider: Decider<State, Command, E>,
  commands: readonly Command[],
): readonly E[] {
  let state = decider.initial;
  const history: E[] = [];
  for (const command of commands) {
    const events = eventsOf(decider.decide(command, state));
    history.push(...events);
    state = events.reduce<State>((before, event) => decider.evolve(before, event), state);
  }
  return history;
}

export function eventsOf<E extends DecidedEvent>(decision: Decision<E>): readonly E[] {
  return decision.outcome === 'accepted' ? decision.events.map(({ event }) => event) : [];
}

function outcome<E extends DecidedEvent>(decision: Decision<E>) {
  return {
    decision,
    /** Accepted with exactly these events; their times, claims and personal data are not looked at. */
    then: (...events: readonly E[]) => {
      expect(decision.outcome === 'accepted' ? eventsOf(decision) : decision).toEqual(events);
    },
    /** Accepted with exactly these, all that is decided about each. */
    thenDecided: (...events: readonly Decided<E>[]) => {
      expect(decision).toEqual({ outcome: 'accepted', events });
    },
    thenNothing: () => {
      expect(decision).toEqual({ outcome: 'accepted', events: [] });
    },
    thenRejected: (code: ErrorCode, detail = /./) => {
      expect(decision).toEqual({
        outcome: 'rejected',
        rejection: { code, detail: expect.stringMatching(detail) as string },
      });
    },
  };
}
