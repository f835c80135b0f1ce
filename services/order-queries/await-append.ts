import type { EventStore } from '../../infra/event-store/port.ts';

/** How late an append of another process may be noticed. */
const pollMs = 50;

/** Resolves at the next append of this process, the next poll, the end of the time, or when the reader went away. */
export function awaitAppend(
  store: Pick<EventStore, 'onAppend'>,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      stopListening();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.min(withinMs, pollMs));
    const stopListening = store.onAppend(wake);
    signal?.addEventListener('abort', wake);
  });
}
