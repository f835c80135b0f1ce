import { readConfig } from '../../infra/config/config.ts';
import { publishRunning } from '../../infra/local/data-dir.ts';
import { openLog } from '../../infra/logging/open.ts';
import { within } from '../../infra/within.ts';
import { openSystem, type System } from './system.ts';
import { welcome } from './welcome.ts';

/**
 * Runs the whole system until SIGINT or SIGTERM, then drains it.
 * @throws OperationalFailure INVALID_CONFIGURATION, DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, POSTGRES_START_FAILED,
 *   STORE_UNAVAILABLE, UNSAFE_DURABILITY, PORT_UNUSABLE; what ended a consumer
 */
export async function start(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const config = readConfig(env);
  const log = openLog({ role: 'all-in-one', level: config.logLevel });
  const asked = untilAsked();
  const system = await openSystem({ config, log });
  try {
    const urls = { http: system.url, ...system.simulatorUrls };
    await publishRunning(config.dataDir, { pid: process.pid, urls, postgresUrl: system.postgresUrl });
    process.stdout.write(`${welcome(system, config.dataDir)}\n`);
    await Promise.race([asked, system.failed]);
    log.info('draining');
  } finally {
    await closeWithin(system, log);
  }
}

/** npm and a terminal may both pass the signal on: a second one changes nothing. */
function untilAsked(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => resolve());
    process.on('SIGTERM', () => resolve());
  });
}

/** Longer than each part's own bound together; a part that hangs beyond it must not keep the process. */
const closeMaxMs = 25_000;

async function closeWithin(system: System, log: ReturnType<typeof openLog>): Promise<void> {
  const closed = await within(
    closeMaxMs,
    system.close().then(() => true),
  );
  if (closed === null) log.error('draining took too long; what is left ends with the process');
}
