import { describeConfig, readConfig } from '../../infra/config/config.ts';
import { configurationMarkdown } from '../../infra/config/documentation.ts';
import { exitCodes } from './failure.ts';
import { toTable } from './terminal.ts';
import type { VerbContext } from './verb.ts';

export type ConfigOptions = { readonly json?: boolean; readonly markdown?: boolean };

/** Lists every variable with its value (passwords redacted) and where that comes from; then says what is wrong with them. */
export function showConfig({ env, terminal }: VerbContext, options: ConfigOptions): Promise<number> {
  if (options.markdown === true) {
    // The text ends its last line itself.
    terminal.print(configurationMarkdown().trimEnd());
    return Promise.resolve(exitCodes.done);
  }
  const entries = describeConfig(env);
  if (options.json === true) terminal.print(JSON.stringify(entries, null, 2));
  else terminal.print(toTable(entries.map(({ name, value, source }) => [name, value ?? '-', source])));
  readConfig(env);
  return Promise.resolve(exitCodes.done);
}
