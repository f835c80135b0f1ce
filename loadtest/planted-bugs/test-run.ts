import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { PlantedBug } from './bugs.ts';
import type { SourcesCopy } from './sources-copy.ts';

/** What a test's run ended with; `skipped` is also what was not asked for. */
export type TestEnd = { readonly status: 'passed' | 'failed' | 'skipped'; readonly why: string };

export type TestRun = {
  /** By file, then by the titles joined by ` > `. A file that could not be loaded has no tests. */
  readonly files: ReadonlyMap<string, ReadonlyMap<string, TestEnd>>;
  /** It did not come to its end within the time; nothing is known of it. */
  readonly timedOut: boolean;
};

export type RunOptions = {
  /** 'all': the whole suite; else only the tests that are named, in the files that hold them. */
  readonly tests: readonly PlantedBug['caughtBy'][] | 'all';
  /** A Postgres for every run, so that not each starts its own. */
  readonly postgresUrl: string;
  /** Ends the run; nothing of it is reported. */
  readonly signal: AbortSignal;
};

const namedTimeoutMs = 5 * 60_000;
const suiteTimeoutMs = 20 * 60_000;
const killAfterMs = 15_000;

/** Runs vitest, as the copy's own configuration says, on the copy. Rejects when the signal is aborted. */
export async function runTests({ folder }: SourcesCopy, options: RunOptions): Promise<TestRun> {
  const { tests, postgresUrl, signal } = options;
  signal.throwIfAborted();
  const report = join(folder, '.planted-bugs-report.json');
  await rm(report, { force: true });
  const args = ['run', ...selection(tests), '--reporter=json', `--outputFile=${report}`];
  const timedOut = await vitest(folder, args, {
    postgresUrl,
    signal,
    timeoutMs: tests === 'all' ? suiteTimeoutMs : namedTimeoutMs,
  });
  signal.throwIfAborted();
  if (timedOut) return { files: new Map(), timedOut };
  return { files: filesIn(JSON.parse(await readFile(report, 'utf8')) as Report, folder), timedOut };
}

function selection(tests: RunOptions['tests']): readonly string[] {
  if (tests === 'all') return [];
  const names = tests.map(({ test }) => escaped(test));
  return [...new Set(tests.map(({ file }) => file)), `--testNamePattern=^(${names.join('|')})$`];
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

type VitestOptions = Pick<RunOptions, 'postgresUrl' | 'signal'> & { readonly timeoutMs: number };

/** @returns whether it had to be ended. Its exit code tells nothing that the report does not. */
async function vitest(
  folder: string,
  args: readonly string[],
  { postgresUrl, signal, timeoutMs }: VitestOptions,
): Promise<boolean> {
  const child = spawn(process.execPath, [join('node_modules', 'vitest', 'vitest.mjs'), ...args], {
    cwd: folder,
    env: { ...process.env, TEST_POSTGRES_URL: postgresUrl },
    stdio: 'ignore',
    // A group of its own: its workers end with it.
    detached: true,
  });
  let ended = false;
  const timers: NodeJS.Timeout[] = [];
  const end = (): void => {
    ended = true;
    sendToGroup(child, 'SIGTERM');
    timers.push(setTimeout(() => sendToGroup(child, 'SIGKILL'), killAfterMs));
  };
  timers.push(setTimeout(end, timeoutMs));
  signal.addEventListener('abort', end);
  try {
    await once(child, 'exit');
    return ended;
  } finally {
    signal.removeEventListener('abort', end);
    timers.forEach(clearTimeout);
  }
}

function sendToGroup({ pid, exitCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null) process.kill(-pid, signal);
}

/** The parts of vitest's JSON report that are read here (it follows jest's). */
type Report = {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
};

function filesIn({ testResults }: Report, folder: string): TestRun['files'] {
  return new Map(
    testResults.map(({ name, assertionResults }) => [
      name.replace(`${folder}/`, ''),
      new Map(
        assertionResults.map(({ ancestorTitles, title, status, failureMessages }) => [
          [...ancestorTitles, title].join(' > '),
          { status: endOf(status), why: failureMessages?.[0]?.split('\n')[0] ?? '' },
        ]),
      ),
    ]),
  );
}

function endOf(status: string): TestEnd['status'] {
  return status === 'passed' || status === 'failed' ? status : 'skipped';
}
