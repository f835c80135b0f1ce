import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'vitest';

import { findProgram } from '../infra/local/find-program.ts';

/** What foreign clients are made of; wheels of them are there for the common platforms. */
const packages = ['confluent-kafka==2.16.1', 'fastavro==1.13.1'];
const installMaxMs = 120_000;
const run = promisify(execFile);

export type FoundPython = { readonly python: string } | { readonly missing: string };

let found: Promise<FoundPython> | undefined;

/**
 * `describe` with a Python that has confluent-kafka and fastavro, from a virtual environment in the user's cache that is
 * made once; or one skipped test with the reason where none can be made.
 */
export function describeWithPython(name: string, suite: (python: () => string) => void): void {
  describe(name, async () => {
    const python = await findPython();
    if ('python' in python) suite(() => python.python);
    else it('needs Python with confluent-kafka and fastavro', (context) => context.skip(python.missing));
  });
}

/** The same for one test of several. */
export function findPython(): Promise<FoundPython> {
  return (found ??= openPython());
}

async function openPython(): Promise<FoundPython> {
  const { XDG_CACHE_HOME: cache = '' } = process.env;
  const versions = packages.join('+').replaceAll('==', '-');
  const folder = join(cache === '' ? join(homedir(), '.cache') : cache, 'order-center', `python-${versions}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return { python };
  const base = await findProgram('python3');
  if (base === null) return { missing: 'no python3 on PATH' };
  const draft = `${folder}-${randomUUID()}`;
  try {
    await mkdir(dirname(folder), { recursive: true });
    await run(base, ['-m', 'venv', draft], { timeout: installMaxMs });
    const install = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--only-binary=:all:', ...packages];
    await run(join(draft, 'bin', 'python'), install, { timeout: installMaxMs });
    // What is there is whole. Another process may have been faster: then its one is taken.
    await rename(draft, folder).catch(() => undefined);
    return { python };
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n').slice(-2);
    return { missing: `no Python environment could be made: ${reason}` };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
