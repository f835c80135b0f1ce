import type { EventStore, Position } from '../../event-store/port.ts';

/** Rings when this process appends. Other processes are not heard: polling finds what they wrote. */
export type Bell = {
  /** Whether an append of this process lies after the checkpoint. */
  hasRungAfter(checkpoint: Position | null): boolean;
  /** Resolves after so many ms or on abort; with `orRing` also when the bell rings. */
  rest(ms: number, until?: 'orRing'): Promise<void>;
  close(): void;
};

export function openBell(store: EventStore, signal: AbortSignal): Bell {
  let latest: Position | null = null;
  let onRing: (() => void) | null = null;
  const stopListening = store.onAppend((position) => {
    if (latest === null || store.comparePositions(latest, position) < 0) latest = position;
    onRing?.();
  });
  const rest = (ms: number, until?: 'orRing'): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        onRing = null;
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
      if (until === 'orRing') onRing = wake;
      if (signal.aborted) wake();
    });
  return {
    hasRungAfter: (checkpoint) =>
      latest !== null && (checkpoint === null || store.comparePositions(checkpoint, latest) < 0),
    rest,
    close: stopListening,
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
