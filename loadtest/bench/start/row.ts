import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { spreadOf } from '../pairs.ts';
import { spreadText } from '../report.ts';
import { below, type BenchContext, type BenchRow, type Finding } from '../row.ts';
import { startProgram } from './program.ts';

const coldMaxMs = 60_000;
const warmMaxMs = 5_000;
const memoryMaxMb = 250;
const idleMs = 10_000;
const startsMax = 3;

/** `npm start` on a new data folder, on a used one, and what the process holds when nothing happens. `npm ci` is not in it. */
export const startRow: BenchRow = {
  name: 'start',
  title: 'npm start to ready, cold (a new data folder) and warm, and its memory when idle; without npm ci',
  measure: async (context) => {
    const starts = [];
    for (let start = 1; start <= Math.min(Math.ceil(context.reps / 2), startsMax); start += 1)
      starts.push(await startTwice(context));
    return findingOf(starts);
  },
};

type Starts = { readonly coldMs: number; readonly warmMs: number; readonly idleMb: number };

async function startTwice(context: BenchContext): Promise<Starts> {
  const dataDir = await mkdtemp(join(tmpdir(), 'order-center-bench-start-'));
  try {
    const cold = await startProgram(dataDir);
    await cold.stop();
    const warm = await startProgram(dataDir);
    await sleep(idleMs);
    const idleMb = warm.memoryMb();
    await warm.stop();
    const starts = { coldMs: cold.readyMs, warmMs: warm.readyMs, idleMb };
    context.say(
      `  cold ${Math.round(starts.coldMs)} ms, warm ${Math.round(starts.warmMs)} ms, idle ${Math.round(idleMb)} MB`,
    );
    return starts;
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A start has no limit to be compared with, so the worst one counts. */
function findingOf(starts: readonly Starts[]): Finding {
  const cold = spreadOf(starts.map(({ coldMs }) => coldMs));
  const warm = spreadOf(starts.map(({ warmMs }) => warmMs));
  const idle = spreadOf(starts.map(({ idleMb }) => idleMb));
  return {
    verdicts: [
      below('cold start to ready, worst, ms', cold.max, coldMaxMs),
      below('warm start to ready, worst, ms', warm.max, warmMaxMs),
      below('memory of the idle Node process, worst, MB', idle.max, memoryMaxMb),
    ],
    comparisons: [],
    facts: {
      'cold start to ready, ms': spreadText(cold, 0),
      'warm start to ready, ms': spreadText(warm, 0),
      'memory of the Node process after 10 s idle, MB': spreadText(idle, 0),
    },
  };
}
