import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** @returns the path of a program; null where PATH has none of that name */
export async function findProgram(name: string): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const program = join(folder, name);
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return program;
  }
  return null;
}
