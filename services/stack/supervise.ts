import { setTimeout as pause } from 'node:timers/promises';

/** One process as its supervisor sees it. */
export type Runs = {
  readonly pid: number;
  /** Resolves with how it ended. */
  readonly exited: Promise<string>;
};

export type Supervision = {
  readonly name: string;
  /** Starts it once more; resolves when it serves. It has ended where this rejects, as it may when the signal is aborted. */
  readonly again: (signal: AbortSignal) => Promise<Runs>;
  /** Ends the one that runs. */
  readonly end: () => Promise<void>;
  readonly say: (line: string) => void;
};

export type Supervised = {
  readonly name: string;
  pid(): number;
  /** Ends it and leaves it. Repeatable. */
  stop(): Promise<void>;
};

const firstPauseMs = 200;
/** So long at most from one attempt to the next: what is mended elsewhere is taken up soon. */
const pauseMaxMs = 10_000;
/** One that ran so long starts with the first pause again. */
const steadyMs = 30_000;

/** How long to wait before attempt n, counted from 1, since something last ran steadily. */
export function pauseBefore(attempt: number): number {
  return Math.min(firstPauseMs * 2 ** Math.min(attempt - 1, 10), pauseMaxMs);
}

/** Starts what dies again, as often as it takes, and says so. It runs already. */
export function supervise(first: Runs, { name, again, end, say }: Supervision): Supervised {
  const stopping = new AbortController();
  let current = first;
  const keep = async (): Promise<void> => {
    for (let attempt = 0; ;) {
      const begun = performance.now();
      const how = await current.exited;
      if (stopping.signal.aborted) return;
      attempt = performance.now() - begun >= steadyMs ? 1 : attempt + 1;
      say(`${name} (process ${current.pid}) ended: ${how}`);
      attempt = await untilItRuns(attempt);
    }
  };

  const untilItRuns = async (from: number): Promise<number> => {
    for (let attempt = from; ; attempt += 1) {
      const waitMs = pauseBefore(attempt);
      say(`${name} is started again in ${(waitMs / 1_000).toFixed(1)} s`);
      await pause(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return attempt;
      try {
        current = await again(stopping.signal);
        say(`${name} runs again as process ${current.pid}`);
        return attempt;
      } catch (error) {
        say(`${name} does not start: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };

  const kept = keep();
  return {
    name,
    pid: () => current.pid,
    stop: async () => {
      stopping.abort();
      await end();
      await kept;
      // Where it was being started at that moment, there is one more by now.
      await end();
    },
  };
}
