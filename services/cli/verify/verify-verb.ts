import { exitCodes } from '../failure.ts';
import type { VerbContext } from '../verb.ts';
import { invariants } from './invariants/all.ts';
import { openVerify } from './open-verify.ts';
import { verify } from './verify.ts';
import type { Verdict } from './verify.ts';

export type VerifyVerbOptions = {
  readonly ledger?: string;
  readonly reads?: string;
  readonly stuckAfterMs: number;
  readonly json?: boolean;
};

/** Checks what must always hold. @returns the exit code: 1 where anything does not */
export async function verifyVerb(context: VerbContext, options: VerifyVerbOptions): Promise<number> {
  const { env, terminal, signal } = context;
  const { ledger: ledgerFile = null, reads: readsFile = null, stuckAfterMs } = options;
  const { input, close } = await openVerify({ env, signal, ledgerFile, readsFile, stuckAfterMs });
  try {
    const verdicts = await verify(invariants, input, terminal.progress);
    terminal.progress('');
    terminal.print(options.json === true ? toJson(verdicts) : verdicts.map(toLine).join('\n'));
    for (const note of verdicts.flatMap(notesOf)) terminal.note(note);
    return verdicts.some(isViolated) ? exitCodes.failed : exitCodes.done;
  } finally {
    await close();
  }
}

function isViolated({ finding }: Verdict): boolean {
  return !('notChecked' in finding) && finding.violations.count > 0;
}

function toLine({ id, finding }: Verdict): string {
  if ('notChecked' in finding) return `${id} not checked: ${finding.notChecked}`;
  return `${id} checked=${finding.checked} violations=${finding.violations.count}`;
}

/** The violations that are worth a look, and what else should be known. */
function notesOf({ id, statement, finding }: Verdict): readonly string[] {
  if ('notChecked' in finding) return [];
  const { violations, remark } = finding;
  const heading = violations.count > 0 ? [`${id} does not hold: ${statement}`] : [];
  const examples = violations.examples.map((example) => `${id}   ${example}`);
  return [...(remark === undefined ? [] : [`${id} ${remark}`]), ...heading, ...examples];
}

function toJson(verdicts: readonly Verdict[]): string {
  const entries = verdicts.map(({ id, statement, finding }) => {
    if ('notChecked' in finding) return { id, statement, notChecked: finding.notChecked };
    const { checked, violations, remark } = finding;
    const { count, examples } = violations;
    return { id, statement, checked, violations: count, examples, ...(remark === undefined ? {} : { remark }) };
  });
  return JSON.stringify(entries, null, 2);
}
