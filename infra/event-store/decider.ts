import type { DecidedEvent, Decision } from '../../schemas/decision.ts';
import type { Recorded } from '../../schemas/envelope.ts';

/** The pure core of one kind of stream (Chassaing's Decider): what `transact` runs. */
export type Decider<State, Command, E extends DecidedEvent> = {
  readonly initial: State;
  /** Total and silent: history already happened. */
  readonly evolve: (state: State, event: E | Recorded<E>) => State;
  readonly decide: (command: Command, state: State) => Decision<E>;
};
