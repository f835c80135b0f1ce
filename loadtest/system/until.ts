import { setTimeout as wait } from 'node:timers/promises';

/** Polls a condition. @returns whether it came true in time */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  options: { readonly withinMs: number; readonly everyMs?: number },
): Promise<boolean> {
  const { withinMs, everyMs = 5 } = options;
  const deadline = performance.now() + withinMs;
  for (;;) {
    if (await isTrue()) return true;
    if (performance.now() > deadline) return false;
    await wait(everyMs);
  }
}
