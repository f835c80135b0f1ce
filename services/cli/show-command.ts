import { asRecord, openApi, problemOf } from './api.ts';
import { CommandFailure, exitCodes } from './failure.ts';
import { findUrl } from './running-system.ts';
import { toTable } from './terminal.ts';
import type { VerbContext } from './verb.ts';
import type { TenantId } from '../../schemas/ids.ts';

export type ShowCommandOptions = { readonly url?: string; readonly tenant: TenantId; readonly json?: boolean };

/** What became of a command: accepted or rejected, and by which version of which order. */
export async function showCommand(context: VerbContext, id: string, options: ShowCommandOptions): Promise<number> {
  const { env, terminal, signal } = context;
  const url = await findUrl(env, options.url);
  const api = openApi({ url, tenantId: options.tenant, signal, attemptsMax: 3 });
  const answer = await api.call({ path: `/v1/commands/${encodeURIComponent(id)}` });
  if (answer.status !== 200) throw new CommandFailure(problemOf(answer));
  const fields = Object.entries(asRecord(answer.body)).map(([name, value]) => [name, String(value)]);
  terminal.print(options.json === true ? JSON.stringify(answer.body, null, 2) : toTable(fields));
  return exitCodes.done;
}
