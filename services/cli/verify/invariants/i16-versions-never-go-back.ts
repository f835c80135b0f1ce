import { orderSummary } from '../../../../projections/order-summary/projection.ts';
import type { OrderId, TenantId } from '../../../../schemas/ids.ts';
import { integerOf, readJsonLines, textOf } from '../json-lines.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant, VerifyInput, ViolationList } from '../invariant.ts';

/** Each order twice from the view, twice through the door where the system runs; and a client's log of reads. */
export const versionsNeverGoBack: Invariant = {
  id: 'I16',
  statement: 'To a reader, the version of an order never goes back.',
  check: (input) => {
    let isAnyOrder = false;
    return {
      see: ({ type }) => {
        isAnyOrder ||= type === 'OrderPlaced';
      },
      finish: async () => {
        const violations = noViolations();
        const ofReads = input.readsFile === null ? 0 : await checkReads(input.readsFile, violations);
        const ofViews = isAnyOrder ? await checkViews(input, violations) : 0;
        return { checked: ofReads + ofViews, violations };
      },
    };
  },
};

async function checkReads(path: string, violations: ViolationList): Promise<number> {
  const versions = new Map<string, number>();
  let checked = 0;
  for await (const line of readJsonLines(path)) {
    checked += 1;
    const orderId = textOf(line, 'orderId');
    const version = integerOf(line, 'version');
    const before = versions.get(orderId) ?? 0;
    if (version < before) violations.add(`line ${line.number}: ${orderId} was read at ${version} after ${before}`);
    versions.set(orderId, Math.max(version, before));
  }
  return checked;
}

type Reading = { readonly tenantId: TenantId; readonly key: string; readonly version: number };

const readsAtOnce = 32;

async function checkViews(input: VerifyInput, violations: ViolationList): Promise<number> {
  let checked = 0;
  let batch: Reading[] = [];
  const flush = async (): Promise<void> => {
    input.signal.throwIfAborted();
    await readAgain(input, { batch, violations });
    checked += batch.length;
    batch = [];
  };
  for await (const { tenantId, key, document } of input.views.scan(orderSummary.view)) {
    batch.push({ tenantId, key, version: document.version });
    if (batch.length === readsAtOnce) await flush();
  }
  if (batch.length > 0) await flush();
  return checked;
}

type Batch = { readonly batch: readonly Reading[]; readonly violations: ViolationList };

async function readAgain({ views, readVersion }: VerifyInput, { batch, violations }: Batch): Promise<void> {
  const again = await views.find(orderSummary.view, batch);
  for (const [index, { key, version }] of batch.entries()) {
    const later = again[index]?.version ?? 0;
    if (later < version) violations.add(`order ${key} is in the view at ${later} after ${version}`);
  }
  if (readVersion === null) return;
  await Promise.all(
    batch.map(async ({ tenantId, key }) => {
      const first = (await readVersion(tenantId, key as OrderId)) ?? 0;
      const second = (await readVersion(tenantId, key as OrderId)) ?? 0;
      if (first === 0) violations.add(`order ${key} is in the view and not behind the door`);
      if (second < first) violations.add(`order ${key} was answered at ${second} after ${first}`);
    }),
  );
}
