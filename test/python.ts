import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const installMaxMs = 240_000;

/** A Python with packages of its own, outside the tree; made by the first run on a machine. */
export type Python = { readonly python: string } | { readonly missing: string };

/** @param packages pinned, as `fastavro==1.12.1` */
export async function pythonWith(packages: readonly string[]): Promise<Python> {
  const folder = join(tmpdir(), `order-center-python-${packages.join('-').replaceAll('=', '')}`);
  const python = join(folder, 'bin', 'python');
  const imports = packages.map((name) => `import ${name.split('==')[0]?.replaceAll('-', '_') ?? ''}`).join('; ');
  const works = (): Promise<boolean> =>
    run(python, ['-c', imports]).then(
      () => true,
      () => false,
    );
  if (await works()) return { python };
  try {
    await mkdir(folder, { recursive: true });
    await run('python3', ['-m', 'venv', '--clear', folder], { timeout: installMaxMs });
    await run(python, ['-m', 'pip', 'install', '--quiet', ...packages], { timeout: installMaxMs });
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    return { missing: `no Python with ${packages.join(', ')} (python3 with venv, and PyPI): ${why}` };
  }
  return (await works()) ? { python } : { missing: `no Python that imports ${packages.join(', ')}` };
}

/** Whether a program answers on PATH. */
export async function hasProgram(name: string, ...args: readonly string[]): Promise<boolean> {
  return run(name, [...args]).then(
    () => true,
    () => false,
  );
}
