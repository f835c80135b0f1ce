import { CommandFailure } from '../../failure.ts';
import { integerOf, readJsonLines, sizeOf, textOf } from '../json-lines.ts';
import type { JsonLine } from '../json-lines.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant, ViolationList } from '../invariant.ts';

/**
 * The gateway's own ledger against the events. Orders whose saga still runs, or waits for an operator, are left out:
 * theirs is being settled. The ledger's length is taken before the log is read, so that a charge in it whose order is
 * not in the log is an orphan, not news.
 */
export const oneCharge: Invariant = {
  id: 'I24',
  statement: 'The gateway captured once per key, the sums of events say, and for no order that is not there.',
  check: async ({ paymentsFile }) => {
    const orders = new Map<string, Sums & { isSettled: boolean }>();
    const found = paymentsFile === null ? null : await sizeBefore(paymentsFile);
    return {
      see: (event) => {
        if (event.origin !== 'live' || event.stream.startsWith('stock-')) return;
        const { orderId } = event.data as { readonly orderId: string };
        const order = orders.get(orderId) ?? { captured: 0, refunded: 0, isSettled: false };
        orders.set(orderId, order);
        if (event.type === 'PaymentCaptured') order.captured += event.data.amount;
        if (event.type === 'PaymentRefunded') order.refunded += event.data.amount;
        if (event.stream.startsWith('fulfillment-')) order.isSettled = endings.has(event.type);
      },
      finish: async () => {
        if (paymentsFile === null) return { notChecked: 'payments go to a gateway of another, PAYMENT_URL' };
        if (found === null) return { notChecked: "there is no payment simulator's ledger under DATA_DIR" };
        const violations = noViolations();
        const charges = await readCharges(paymentsFile, { knownBytes: found, violations });
        for (const [orderId, charge] of charges) {
          if (!orders.has(orderId) && charge.isEarly)
            violations.add(`order ${orderId} was charged and is not in the log`);
        }
        const settled = [...orders].filter(([, order]) => order.isSettled);
        for (const [orderId, order] of settled) {
          const gateway = charges.get(orderId) ?? { captured: 0, refunded: 0 };
          for (const name of ['captured', 'refunded'] as const) {
            if (gateway[name] === order[name]) continue;
            violations.add(`order ${orderId}: the gateway ${name} ${gateway[name]}, its events say ${order[name]}`);
          }
        }
        return { checked: settled.length, violations };
      },
    };
  },
};

type Sums = { captured: number; refunded: number };
type Charge = Sums & { readonly isEarly: boolean };

const endings: ReadonlySet<string> = new Set(['FulfillmentCompleted', 'FulfillmentCompensated']);

async function sizeBefore(path: string): Promise<number | null> {
  return sizeOf(path).catch((error: unknown) => {
    if (error instanceof CommandFailure) return null;
    throw error;
  });
}

type Reading = { readonly knownBytes: number; readonly violations: ViolationList };

/** By order; counts captures per key on the way. */
async function readCharges(path: string, reading: Reading): Promise<ReadonlyMap<string, Charge>> {
  const charges = new Map<string, Charge>();
  const keys = new Set<string>();
  for await (const line of readJsonLines(path)) {
    const { op, result } = line.value;
    if (result !== 'succeeded' || (op !== 'capture' && op !== 'refund')) continue;
    addCharge(charges, line, line.end <= reading.knownBytes);
    const key = textOf(line, 'key');
    if (op === 'capture' && keys.has(key)) reading.violations.add(`key ${key} was captured twice`);
    if (op === 'capture') keys.add(key);
  }
  return charges;
}

function addCharge(charges: Map<string, Charge>, line: JsonLine, isEarly: boolean): void {
  const orderId = textOf(line, 'orderId');
  const charge = charges.get(orderId) ?? { captured: 0, refunded: 0, isEarly };
  charge[line.value.op === 'capture' ? 'captured' : 'refunded'] += integerOf(line, 'amount');
  charges.set(orderId, charge);
}
