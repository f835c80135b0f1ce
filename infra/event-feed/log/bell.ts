import type { EventStore, Position } from '../../event-store/port.ts';

/** Rings when this process appends. Other processes are not heard: polling finds what they wrote. */
export type Bell = {
  /** Whether an append of this process lies after the checkpoint. */
  hasRungAfter(checkpoint: Position | null): boolean;
  /** Resolves after so many ms or on abort; with `orRing` also when the bell rings. */
  rest(ms: number, signal: AbortSignal, until?: 'orRing'): Promise<void>;
};

/**
 * One bell for all consumers of a feed, for as long as the store is open. To compare positions is the cost of an append
 * here, and the furthest one is the same for all: lanes tell theirs out of order, so the last one is not always it.
 */
export function openBell(store: Pick<EventStore, 'onAppend' | 'comparePositions'>): Bell {
  let furthest: Position | null = null;
  const resting = new Set<() => void>();
  store.onAppend((position) => {
    if (furthest === null || store.comparePositions(furthest, position) < 0) furthest = position;
    for (const wake of resting) wake();
  });
  return {
    hasRungAfter: (checkpoint) =>
      furthest !== null && (checkpoint === null || store.comparePositions(checkpoint, furthest) < 0),
    rest: (ms, signal, until) =>
      new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          resting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, ms);
        signal.addEventListener('abort', wake);
        if (until === 'orRing') resting.add(wake);
        if (signal.aborted) wake();
      }),
  };
}

/** What the work resolves to, or null as soon as the signal is aborted: then nobody waits for it any longer. */
export async function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
): Promise<{ readonly result: Result } | null> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<null>((resolve) => {
    abort = () => resolve(null);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });
  try {
    return await Promise.race([work.then((result) => ({ result })), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
