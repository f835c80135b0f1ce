import { Worker } from 'node:worker_threads';

/** Somebody in a thread of his own, whom no stall of ours delays. */
export type Answerer = {
  readonly ask: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Answers each question after so long. */
export async function openAnswerer(afterMs: number): Promise<Answerer> {
  const code = `const { parentPort } = require('node:worker_threads');
    parentPort.on('message', (number) => setTimeout(() => parentPort.postMessage(number), ${afterMs}));
    parentPort.postMessage(0);`;
  const worker = new Worker(code, { eval: true });
  const waiting = new Map<number, () => void>();
  const answered = (number: number): Promise<void> => new Promise((resolve) => waiting.set(number, resolve));
  let asked = 0;
  const ready = answered(asked);
  worker.on('message', (number: number) => {
    waiting.get(number)?.();
    waiting.delete(number);
  });
  await ready;
  return {
    ask: () => {
      asked += 1;
      const answer = answered(asked);
      worker.postMessage(asked);
      return answer;
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
