import type { Logger } from 'pino';
import { readConfig, type Environment } from '../config/config.ts';
import { adviceOf, isOperationalFailure } from '../failures.ts';
import { openLog } from '../logging/open.ts';
import { openMetrics } from '../metrics/open.ts';
import { within } from '../within.ts';
import { openProcess, type OpenProcess, type OpenRole } from './open-process.ts';

export type Role = { readonly name: string; readonly open: OpenRole };

/** The whole of a role's main.ts. */
export function main(role: Role): Promise<never> {
  return endAfter(() => runProcess(role, process.env));
}

/** Ends the process after its work: with 0, or with one line on stderr and 1. */
export async function endAfter(run: () => Promise<void>): Promise<never> {
  try {
    await run();
    process.exit(0);
  } catch (error) {
    const line = isOperationalFailure(error) ? adviceOf(error) : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`order-center: ${line ?? 'an unknown error'}\n`);
    process.exit(1);
  }
}

/**
 * Runs a role until SIGINT or SIGTERM, then drains it.
 * @throws OperationalFailure INVALID_CONFIGURATION, PORT_UNUSABLE, and what the role's opening says; what ended a loop
 */
export async function runProcess({ name, open }: Role, env: Environment): Promise<void> {
  const config = readConfig(env);
  const log = openLog({ role: name, level: config.logLevel });
  const asked = untilAsked();
  const opened = await openProcess({ config, log, metrics: openMetrics() }, open);
  try {
    await Promise.race([asked, opened.failed]);
    log.info('draining');
  } finally {
    await closeWithin(opened, log);
  }
}

/** Until SIGINT or SIGTERM. npm and a terminal may both pass the signal on: a second one changes nothing. */
export function untilAsked(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => resolve());
    process.on('SIGTERM', () => resolve());
  });
}

/** Longer than each part's own bound together; a part that hangs beyond it must not keep the process. */
const closeMaxMs = 25_000;

async function closeWithin(opened: OpenProcess, log: Logger): Promise<void> {
  const closed = await within(
    closeMaxMs,
    opened.close().then(() => true),
  );
  if (closed === null) log.error('draining took too long; what is left ends with the process');
}
