/** What a piece of work is given beside its record. */
export type Turn = {
  /** When the window took the record; `performance.now()`. */
  readonly takenAtMs: number;
  /** The group took the partition away: another member has the record, and nothing here counts any more. */
  readonly isLost: () => boolean;
  /** Others wait for room: whoever waits for something that may never come gives up. */
  readonly isHurried: () => boolean;
  /** Waits; ends early when the turn is lost. */
  readonly rest: (ms: number) => Promise<void>;
  /** Waits; ends early when the turn is lost or hurried. */
  readonly linger: (ms: number) => Promise<void>;
  /** The next record of the key may begin; this one is not settled yet. */
  readonly release: () => void;
};

export type Turns = {
  readonly next: (lost: AbortSignal) => Omit<Turn, 'release'>;
  /** Ends what lingers, and lets no turn linger that began before. */
  readonly hurry: () => void;
  /** Ends all waiting: who waits looks whether its turn is lost. */
  readonly wake: () => void;
};

/** Who waits, and what ends it. */
export function openTurns(): Turns {
  let haste = { isOn: false };
  const lingering = new Set<() => void>();
  const resting = new Set<() => void>();
  return {
    next: (lost) => {
      const own = haste;
      const isHurried = (): boolean => own.isOn;
      return {
        takenAtMs: performance.now(),
        isLost: () => lost.aborted,
        isHurried,
        rest: (ms) => (lost.aborted ? Promise.resolve() : nap(ms, resting)),
        linger: (ms) => (lost.aborted || isHurried() ? Promise.resolve() : nap(ms, lingering)),
      };
    },
    hurry: () => {
      haste.isOn = true;
      haste = { isOn: false };
      wakeAll(lingering);
    },
    wake: () => {
      wakeAll(lingering);
      wakeAll(resting);
    },
  };
}

function nap(ms: number, sleepers: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      sleepers.delete(end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    sleepers.add(end);
  });
}

function wakeAll(sleepers: Set<() => void>): void {
  for (const end of [...sleepers]) end();
}
