import { join } from 'node:path';

import { readDeployment } from './compose-file.ts';
import { compareWithCode } from './compose-rules.ts';

/** There is no Docker where this is checked: what can be known without one is compared with the code. */
const root = join(import.meta.dirname, '..', '..');
const problems = compareWithCode(await readDeployment(root), root);
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;
