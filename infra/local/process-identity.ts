import { readFileSync } from 'node:fs';

/**
 * Tells one process from a later one with the same number. `started` is the boot and the clock tick of its start on
 * Linux; elsewhere it is empty, and only the number counts.
 */
export type ProcessIdentity = { readonly pid: number; readonly started: string };

/** @returns the process that has this number now, or null when there is none (a zombie is none) */
export function identify(pid: number): ProcessIdentity | null {
  if (!answersSignals(pid)) return null;
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  if (stat === '') return { pid, started: '' };
  // The second field is the program's name in parentheses and may hold anything; the third follows the last ')'.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  return { pid, started: `${bootId()}:${fields[18] ?? ''}` };
}

/** Whether exactly this process still runs; a process that took over its number does not count. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  const now = identify(pid);
  if (now === null) return false;
  return now.started === started || now.started === '' || started === '';
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ticks count from the boot, so the same number and tick can come back after the next one. */
function bootId(): string {
  return readOrEmpty('/proc/sys/kernel/random/boot_id').trim();
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
