import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

import { identify, isRunning } from '../../infra/local/process-identity.ts';
import type { ProcessIdentity } from '../../infra/local/process-identity.ts';

const endsWithinMs = 10_000;

/** The processes with these numbers now, so that a number that is given away again is not taken for them. */
export function identifyAll(pids: readonly number[]): readonly ProcessIdentity[] {
  return pids.map(identify).filter((identity) => identity !== null);
}

/**
 * Sends SIGKILL to all of them in one go, in their order, so that none has the time to act on another's death; then
 * waits until they are gone.
 * @throws Error when one is still there after 10 s
 */
export async function killAtOnce(processes: readonly ProcessIdentity[]): Promise<void> {
  for (const { pid } of processes) sendSignal(pid, 'SIGKILL');
  await awaitEnd(processes, endsWithinMs);
}

export async function awaitEnd(processes: readonly ProcessIdentity[], withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = processes.filter(isRunning);
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`still running: ${left.map(({ pid }) => pid).join(', ')}`);
    await wait(10);
  }
}

export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The children of a process; none where there is no /proc: a dead Postgres's backends then end by themselves. */
export function childrenOf(parent: number): readonly number[] {
  return numbersIn('/proc').filter((pid) => parentOf(pid) === parent);
}

function numbersIn(folder: string): readonly number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name in parentheses may hold anything; state and parent follow the last ')'.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}
