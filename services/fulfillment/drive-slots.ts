/** Bounds how many sagas are driven at once and how many wait for it. First come, first served. */
export type DriveSlots = {
  /** Runs the work when a slot is free. */
  readonly run: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Resolves when fewer wait than may: what brings new work asks first. */
  readonly room: () => Promise<void>;
  /** Resolves when nothing runs or waits. */
  readonly idle: () => Promise<void>;
  readonly status: () => { readonly running: number; readonly waiting: number };
};

export function openDriveSlots(limits: { readonly drivesMax: number; readonly waitingMax: number }): DriveSlots {
  let running = 0;
  const waiting: (() => void)[] = [];
  let watchers: (() => void)[] = [];

  const release = (): void => {
    const next = waiting.shift();
    // The slot goes from hand to hand, so that nobody overtakes.
    if (next === undefined) running -= 1;
    else next();
    const told = watchers;
    watchers = [];
    for (const watcher of told) watcher();
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => watchers.push(resolve));
  };

  return {
    run: async (work) => {
      if (running < limits.drivesMax) running += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        release();
      }
    },
    room: () => until(() => waiting.length < limits.waitingMax),
    idle: () => until(() => running === 0),
    status: () => ({ running, waiting: waiting.length }),
  };
}
