import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { findProgram } from './find-program.ts';

/** What Kafka 4's broker asks for. */
const versionMin = 17;
const askMaxMs = 20_000;

/** @returns the `java` of JAVA_HOME or PATH; null where there is none, or an older one */
export async function findJava(): Promise<string | null> {
  const { JAVA_HOME: home = '' } = process.env;
  const ofHome = join(home, 'bin', 'java');
  const java = home !== '' && existsSync(ofHome) ? ofHome : await findProgram('java');
  if (java === null) return null;
  const said = await promisify(execFile)(java, ['-version'], { timeout: askMaxMs }).catch(() => ({ stderr: '' }));
  const version = /version "(\d+)/.exec(said.stderr)?.[1];
  return Number(version) >= versionMin ? java : null;
}
