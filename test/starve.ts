/** Nobody of this process listens for so long. */
export function stallMs(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** From now on this process stands still most of the time, as one that hardly gets a core. @returns ends it */
export function starve(eachMs: number): () => void {
  let next: NodeJS.Immediate | undefined;
  const round = (): void => {
    stallMs(eachMs);
    next = setImmediate(round);
  };
  next = setImmediate(round);
  return () => clearImmediate(next);
}
