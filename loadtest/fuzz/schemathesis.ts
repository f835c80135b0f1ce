import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Pinned: another version may ask other questions. */
const version = '4.32.5';

const installWithinMs = 300_000;
const runWithinMs = 900_000;

/** A program outside the tree, made by the first run on a machine. */
export type Schemathesis = { readonly command: string };

/** @throws Error where python3 with venv or the package index is missing; it says which */
export async function installSchemathesis(say: (line: string) => void): Promise<Schemathesis> {
  const folder = join(tmpdir(), `order-center-schemathesis-${version}`);
  const command = join(folder, 'bin', 'schemathesis');
  if (await answersVersion(command)) return { command };
  say(`installing schemathesis ${version} into ${folder} (once; needs python3 and PyPI)`);
  await mkdir(folder, { recursive: true });
  // Cleared: an installation that was interrupted is begun again.
  await expectDone('python3', ['-m', 'venv', '--clear', folder]);
  await expectDone(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `schemathesis==${version}`]);
  if (!(await answersVersion(command))) throw new Error(`${command} does not run as ${version}`);
  return { command };
}

async function answersVersion(command: string): Promise<boolean> {
  const answer = await run(command, ['--version'], { withinMs: 60_000 }).catch(() => null);
  return answer?.code === 0 && answer.output.includes(version);
}

async function expectDone(command: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(command, args, { withinMs: installWithinMs });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${output.slice(-1_000)}`);
}

export type FuzzRun = {
  readonly url: string;
  readonly examples: number;
  readonly seed: number;
  /** Where it works and reports. */
  readonly folder: string;
};

/** What the JSON report says, as far as it is judged. */
export type FuzzReport = {
  readonly complete: boolean;
  readonly operations: { readonly selected: number; readonly tested: number; readonly errored: number };
  readonly test_cases: { readonly generated: number };
  readonly failures: readonly {
    readonly code: string;
    readonly title: string;
    readonly count: number;
    readonly operations: readonly string[];
  }[];
  readonly errors: readonly unknown[];
};

/** Asks the API everything that its document allows, and much that it does not. @throws Error where it makes no report */
export async function fuzz({ command }: Schemathesis, { url, examples, seed, folder }: FuzzRun) {
  const report = join(folder, 'report.json');
  const args = ['--config-file', join(import.meta.dirname, 'schemathesis.toml'), 'run', `${url}/openapi.json`];
  const bounds = ['--max-examples', String(examples), '--seed', String(seed), '--continue-on-failure'];
  const told = ['--no-color', '--report', 'json', '--report-json-path', report];
  const env = {
    ...process.env,
    SCHEMATHESIS_HOOKS: 'hooks',
    PYTHONPATH: import.meta.dirname,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const { code, output } = await run(command, [...args, ...bounds, ...told], {
    withinMs: runWithinMs,
    cwd: folder,
    env,
  });
  const text = await readFile(report, 'utf8').catch(() => {
    throw new Error(`schemathesis made no report and ended with ${code}:\n${output.slice(-3_000)}`);
  });
  return { code, output, report: JSON.parse(text) as FuzzReport };
}

/** A sentence for each thing that does not hold. Nothing tested is a failure too. */
export function judge(code: number | null, { complete, operations, failures, errors }: FuzzReport): readonly string[] {
  return [
    ...failures.map(
      ({ code: id, title, count, operations: where }) => `${id} ${title}, ${count} x: ${where.join(', ')}`,
    ),
    ...errors.map((error) => `error: ${JSON.stringify(error).slice(0, 300)}`),
    ...(complete ? [] : ['the run was not complete']),
    ...(operations.tested > 0 && operations.tested === operations.selected
      ? []
      : [`only ${operations.tested} of ${operations.selected} operations were tested`]),
    ...(code === 0 || failures.length > 0 || errors.length > 0 ? [] : [`schemathesis ended with ${code}`]),
  ];
}

type RunOptions = {
  readonly withinMs: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
};

function run(command: string, args: readonly string[], { withinMs, ...options }: RunOptions) {
  return new Promise<{ readonly code: number | null; readonly output: string }>((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: withinMs });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
