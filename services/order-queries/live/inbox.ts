import { chunkBytes, type LiveEvent } from './frames.ts';

export type InboxState = 'open' | 'overflowed' | 'closed';

/** What waits for one client: bounded in bytes. */
export type Inbox = {
  /** Where it is full, what waited is dropped: it has overflowed, and its client must read the store again. */
  put(live: LiveEvent): void;
  /** The oldest that waits, up to about a chunk; empty: nothing. */
  take(): readonly LiveEvent[];
  isEmpty(): boolean;
  /** Nothing comes any more: wakes who waits. */
  close(): void;
  state(): InboxState;
  /** Resolves when something waits, at a change of state, after `withinMs`, or when the signal is aborted. */
  wait(withinMs: number, signal: AbortSignal): Promise<void>;
};

export function openInbox(maxBytes: number): Inbox {
  let waiting: LiveEvent[] = [];
  let bytes = 0;
  let state: InboxState = 'open';
  let wake: (() => void) | null = null;
  const end = (how: 'overflowed' | 'closed'): void => {
    state = how;
    waiting = [];
    bytes = 0;
    wake?.();
  };
  return {
    put: (live) => {
      if (state !== 'open') return;
      bytes += live.frame().length;
      waiting.push(live);
      if (bytes > maxBytes) end('overflowed');
      else wake?.();
    },
    take: () => {
      let taken = 0;
      let count = 0;
      for (const live of waiting) {
        if (taken >= chunkBytes) break;
        taken += live.frame().length;
        count += 1;
      }
      bytes -= taken;
      return waiting.splice(0, count);
    },
    isEmpty: () => waiting.length === 0,
    close: () => end('closed'),
    state: () => state,
    wait: (withinMs, signal) => {
      if (waiting.length > 0 || state !== 'open' || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          wake = null;
          resolve();
        };
        const timer = setTimeout(done, withinMs);
        signal.addEventListener('abort', done);
        wake = done;
      });
    },
  };
}
