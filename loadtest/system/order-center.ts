import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** What a verb is pointed to: the system on a data folder, or the stores that its environment names. */
export type VerbTarget = {
  readonly dataDir: string;
  readonly url: string;
  readonly environment?: Readonly<Record<string, string>>;
};

export type CliExit = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** A verb that runs. `pid` is Node itself, so that a kill -9 reaches the verb and no wrapper. */
export type RunningVerb = { readonly pid: number; readonly ended: Promise<CliExit> };

const root = join(import.meta.dirname, '..', '..');
/** A verify of half a million events beside a running system takes some minutes. */
const verbWithinMs = 900_000;

/** Runs `order-center <args>` against a system, which it finds through its environment, as a person's would. */
export function startVerb(system: VerbTarget, args: readonly string[]): RunningVerb {
  const child = spawn(process.execPath, [join(root, 'services', 'cli', 'main.ts'), ...args], {
    cwd: root,
    env: { ...process.env, ...system.environment, DATA_DIR: system.dataDir, PORT: new URL(system.url).port },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: verbWithinMs,
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
  const ended = new Promise<CliExit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...texts }));
  });
  return { pid: child.pid ?? 0, ended };
}

type VerifyLine = {
  readonly id: string;
  readonly checked?: number;
  readonly violations?: number;
  readonly notChecked?: string;
};

export type VerifyOptions = { readonly ledger?: string; readonly reads?: string; readonly required: readonly string[] };

export type VerifyReport = {
  /** A sentence for each invariant that does not hold, or of `required` was not checked. */
  readonly problems: readonly string[];
  /** How much was checked, by invariant. */
  readonly checked: ReadonlyMap<string, number>;
};

/** @returns a sentence for each invariant that does not hold, or of `required` was not checked */
export async function verify(system: VerbTarget, options: VerifyOptions): Promise<readonly string[]> {
  return (await verifyAll(system, options)).problems;
}

export async function verifyAll(system: VerbTarget, options: VerifyOptions): Promise<VerifyReport> {
  const { ledger, reads, required } = options;
  const files = [
    ...(ledger === undefined ? [] : ['--ledger', ledger]),
    ...(reads === undefined ? [] : ['--reads', reads]),
  ];
  const { code, stdout, stderr } = await startVerb(system, ['verify', '--json', ...files]).ended;
  const lines = parsed(stdout);
  if (lines === null) {
    return { problems: [`order-center verify ended with ${code}: ${stderr.trim().slice(-500)}`], checked: new Map() };
  }
  const checked = new Map(
    lines.flatMap((line) => (line.checked === undefined ? [] : [[line.id, line.checked] as const])),
  );
  return { problems: judgeVerify(lines, { code, required, stderr }), checked };
}

type VerifyRun = { readonly code: number | null; readonly required: readonly string[]; readonly stderr: string };

export function judgeVerify(lines: readonly VerifyLine[], { code, required, stderr }: VerifyRun): readonly string[] {
  const violated = lines.filter(({ violations = 0 }) => violations > 0);
  const unchecked = required.filter((id) => lines.find((line) => line.id === id)?.violations === undefined);
  const problems = [
    ...violated.map(({ id, violations }) => `verify: ${id} violations=${violations}\n${examplesOf(stderr, id)}`),
    ...unchecked.map((id) => `verify: ${id} was not checked`),
  ];
  return code === 0 || problems.length > 0 ? problems : [`order-center verify ended with ${code}`];
}

function examplesOf(stderr: string, id: string): string {
  const lines = stderr.split('\n').filter((line) => line.startsWith(`${id} `));
  return lines.slice(0, 5).join('\n');
}

function parsed(stdout: string): readonly VerifyLine[] | null {
  try {
    return JSON.parse(stdout) as readonly VerifyLine[];
  } catch {
    return null;
  }
}
