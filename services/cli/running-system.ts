import { readConfig } from '../../infra/config/config.ts';
import type { Environment } from '../../infra/config/config.ts';
import { findRunning } from '../../infra/local/data-dir.ts';

/** Where the HTTP door is: as told, else of the system that runs on DATA_DIR, else where HOST and PORT say. */
export async function findUrl(env: Environment, told: string | undefined): Promise<string> {
  if (told !== undefined) return told;
  const { dataDir, host, port } = readConfig(env);
  const running = await findRunning(dataDir);
  return running?.urls.http ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
