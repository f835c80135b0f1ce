import { setTimeout as wait } from 'node:timers/promises';

import type { Document, DocumentKey } from '../../../../infra/read-store/port.ts';
import { projections } from '../../../../projections/all.ts';
import type { Projection } from '../../../../projections/projection.ts';
import { canonicalJson } from '../../../../schemas/canonical-json.ts';
import type { Position } from '../../../../schemas/envelope.ts';
import { noViolations } from '../invariant.ts';
import type { Finding, Invariant, VerifyInput } from '../invariant.ts';
import { openViewFold } from '../view-fold.ts';
import type { ViewFold } from '../view-fold.ts';

/**
 * Each view against the fold of the log up to the view's own checkpoint, so that a view that lags is not wrong. While
 * the system runs, a view moves on between two looks: what differs is looked at again, at a newer checkpoint.
 */
export const viewsAreFolds: Invariant = {
  id: 'I15',
  statement: 'Each view is the fold of the events up to its checkpoint.',
  check: (input) => {
    const folds = projections.map((projection) => ({ projection, fold: openViewFold(projection) }));
    return {
      see: (event) => {
        for (const { fold } of folds) fold.apply(event);
      },
      finish: async () => {
        if (folds.every(({ fold }) => fold.last() === null)) return { notChecked: 'the log is empty' };
        const findings: FoundInView[] = [];
        for (const view of folds) findings.push(await compare(input, view));
        return merged(findings);
      },
    };
  },
};

type FoundInView = { readonly checked: number; readonly violations: readonly string[]; readonly remark?: string };
type ProjectedView = { readonly projection: Projection; readonly fold: ViewFold };

const looksMax = 8;
const betweenLooksMs = 250;

async function compare(input: VerifyInput, { projection, fold }: ProjectedView): Promise<FoundInView> {
  const { view } = projection;
  const behind = await waitFor(input, { projection, fold });
  await fold.moveTo(input, await checkpointOf(input, projection));
  let suspects = await differing(input, { projection, fold });
  const checked = fold.keys().length;
  for (let look = 1; suspects.length > 0 && look < looksMax; look += 1) {
    await wait(input.readVersion === null ? 0 : betweenLooksMs, undefined, { signal: input.signal });
    const checkpoint = await checkpointOf(input, projection);
    const found = await input.views.find(view, suspects);
    await fold.moveTo(input, checkpoint);
    suspects = suspects.filter((key, index) => !isSame(fold.get(key), found[index] ?? null));
  }
  const violations = suspects.map(({ tenantId, key }) => `${view.name} of ${tenantId} ${key} is not its fold`);
  return { checked: Math.max(checked, suspects.length), violations, ...(behind === null ? {} : { remark: behind }) };
}

/** @returns what to say where the view does not reach the log's end in time; null: it is there */
async function waitFor(input: VerifyInput, { projection, fold }: ProjectedView): Promise<string | null> {
  const last = fold.last();
  const giveUpAt = Date.now() + (input.readVersion === null ? 0 : input.patienceMs);
  for (;;) {
    if (last === null || isAtOrAfter(input, await checkpointOf(input, projection), last)) return null;
    if (Date.now() >= giveUpAt) return `${projection.view.name} is behind the log: compared up to its own checkpoint`;
    await wait(betweenLooksMs, undefined, { signal: input.signal });
  }
}

/** Every document of the view that is not its fold, and every fold that is not in the view. */
async function differing(input: VerifyInput, { projection, fold }: ProjectedView): Promise<readonly DocumentKey[]> {
  const suspects: DocumentKey[] = [];
  const seen = new Set<string>();
  for await (const { tenantId, key, document } of input.views.scan(projection.view)) {
    input.signal.throwIfAborted();
    seen.add(`${tenantId} ${key}`);
    if (!isSame(fold.get({ tenantId, key }), document)) suspects.push({ tenantId, key });
  }
  return [...suspects, ...fold.keys().filter(({ tenantId, key }) => !seen.has(`${tenantId} ${key}`))];
}

function isSame(fold: Document | null, document: Document | null): boolean {
  return canonicalJson(fold) === canonicalJson(document);
}

function checkpointOf({ views }: VerifyInput, { view }: Projection): Promise<Position | null> {
  // The log is the only feed yet, and it has one partition.
  return views.loadCheckpoint(view.name, 'log');
}

function isAtOrAfter({ store }: VerifyInput, checkpoint: Position | null, place: Position): boolean {
  return checkpoint !== null && store.comparePositions(checkpoint, place) >= 0;
}

function merged(findings: readonly FoundInView[]): Finding {
  const violations = noViolations();
  const remarks: string[] = [];
  let checked = 0;
  for (const finding of findings) {
    checked += finding.checked;
    if (finding.remark !== undefined) remarks.push(finding.remark);
    for (const violation of finding.violations) violations.add(violation);
  }
  return { checked, violations, ...(remarks.length > 0 ? { remark: remarks.join('; ') } : {}) };
}
