import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export type PromtoolAnswer = { readonly ok: boolean; readonly lines: readonly string[] };

/** For a skip: it is one tool of Debian's `prometheus`, which is too big to be fetched for it. */
export const promtoolMissing =
  'promtool is not on the PATH (Debian: apt-get install --no-install-recommends prometheus)';

/** Runs promtool in the folder of the alerts; null where there is none. */
export function promtool(args: readonly string[], input = ''): PromtoolAnswer | null {
  const cwd = join(import.meta.dirname, '..', 'deploy', 'prometheus');
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { cwd, input, encoding: 'utf8' });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return null;
  return { ok: status === 0, lines: `${stdout}${stderr}`.split('\n').filter((line) => line !== '') };
}

/** The name is required and its unit is not the one that Prometheus wants; shipping_delay_seconds is beside it. */
const allowed = 'shipping_delay_minutes use base unit "seconds" instead of "minutes"';

/** What `promtool check metrics` has to say of a scrape in the plain format, but for what must be; null: no promtool. */
export function lintMetrics(plainText: string): readonly string[] | null {
  return promtool(['check', 'metrics'], plainText)?.lines.filter((line) => line !== allowed) ?? null;
}
