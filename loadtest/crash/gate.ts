/** Lets so many through as were let go, in their order; opened, it holds nobody. */
export type Gate = {
  readonly admit: () => Promise<void>;
  readonly release: (count: number) => void;
  readonly open: () => void;
};

export function newGate(): Gate {
  const waiting: (() => void)[] = [];
  let free = 0;
  const serve = (): void => {
    while (free >= 1) {
      const next = waiting.shift();
      if (next === undefined) return;
      free -= 1;
      next();
    }
  };
  const release = (count: number): void => {
    free += count;
    serve();
  };
  return {
    release,
    open: () => release(Infinity),
    admit: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        serve();
      }),
  };
}
