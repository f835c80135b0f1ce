import { rename, stat } from 'node:fs/promises';

const logBytesMax = 16 * 1024 * 1024;

/** Before a server starts: a log that is long by now becomes `<log>.1`, and the one before that is gone. */
export async function rotateLog(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > logBytesMax) await rename(logFile, `${logFile}.1`);
}
