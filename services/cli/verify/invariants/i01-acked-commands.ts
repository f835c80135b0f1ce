import { orderStream } from '../../../../schemas/ids.ts';
import type { CommandId, OrderId, TenantId } from '../../../../schemas/ids.ts';
import { integerOf, readJsonLines, textOf } from '../json-lines.ts';
import type { JsonLine } from '../json-lines.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant, VerifyInput } from '../invariant.ts';

/** Looks each acknowledged line up in the store: nothing is kept in memory, however long the ledger is. */
export const ackedCommands: Invariant = {
  id: 'I1',
  statement: 'No acknowledged command is lost: its event is in its order at the version that was answered.',
  check: ({ store, ledgerFile, signal }) => ({
    finish: async () => {
      if (ledgerFile === null) return { notChecked: 'no --ledger FILE was given' };
      const violations = noViolations();
      let checked = 0;
      let batch: JsonLine[] = [];
      const flush = async (): Promise<void> => {
        signal.throwIfAborted();
        const problems = await Promise.all(batch.map((line) => problemOf(store, line)));
        for (const problem of problems) if (problem !== null) violations.add(problem);
        checked += batch.length;
        batch = [];
      };
      for await (const line of readJsonLines(ledgerFile)) {
        const status = integerOf(line, 'status');
        if (status >= 200 && status < 300) batch.push(line);
        if (batch.length === lookupsAtOnce) await flush();
      }
      await flush();
      return { checked, violations };
    },
  }),
};

const lookupsAtOnce = 32;

async function problemOf(store: VerifyInput['store'], line: JsonLine): Promise<string | null> {
  const tenantId = textOf(line, 'tenantId') as TenantId;
  const commandId = textOf(line, 'commandId') as CommandId;
  const stream = orderStream(textOf(line, 'orderId') as OrderId);
  const version = integerOf(line, 'version');
  if (version < 1) return `line ${line.number}: version ${version} of ${stream} was acknowledged`;
  const [event] = await store.readStream({ stream, fromRevision: version - 1, limit: 1 });
  if (event?.tenantId === tenantId && event.commandId === commandId) return null;
  // An acceptance that changed nothing has no event; its answer is kept apart.
  const receipt = event === undefined ? null : await store.findCommand(tenantId, commandId);
  const isNoChange = receipt?.stream === stream && receipt.version === version && receipt.rejection === null;
  return isNoChange
    ? null
    : `line ${line.number}: command ${commandId} has no event in ${stream} at version ${version}`;
}
