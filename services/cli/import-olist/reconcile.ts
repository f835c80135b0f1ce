import type { OrderFigures, OrderStatus } from './olist-order.ts';

export type ReconciliationRow = {
  readonly measure: string;
  readonly files: number;
  readonly views: number;
  readonly difference: number;
};

export type Reconciliation = {
  readonly rows: readonly ReconciliationRow[];
  /** One sentence each. */
  readonly differences: readonly string[];
};

/** Compares the files with the views, order by order and in sum. Money in centavos. */
export function reconcile(expected: readonly OrderFigures[], seen: ReadonlyMap<string, OrderFigures>): Reconciliation {
  const inViews = expected.flatMap(({ reference }) => seen.get(reference) ?? []);
  const rows = measures.map(({ measure, of }) => {
    const files = sumOf(expected, of);
    const views = sumOf(inViews, of);
    return { measure, files, views, difference: views - files };
  });
  const differences = expected.flatMap((order) => differencesOf(order, seen.get(order.reference)));
  return { rows, differences };
}

/** What differs in one order, a sentence each. */
export function differencesOf(expected: OrderFigures, seen: OrderFigures | undefined): readonly string[] {
  if (seen === undefined) return [`${expected.reference} is not in the views`];
  return compared
    .filter((name) => expected[name] !== seen[name])
    .map((name) => `${expected.reference} ${name}: ${expected[name]} in the files, ${seen[name]} in the views`);
}

const compared = ['customerId', 'status', 'lines', 'total', 'freight', 'captured', 'refunded'] as const;
const statuses: readonly OrderStatus[] = ['placed', 'paid', 'shipped', 'delivered', 'cancelled'];

type Measure = { readonly measure: string; readonly of: (order: OrderFigures) => number };

const measures: readonly Measure[] = [
  { measure: 'orders', of: () => 1 },
  { measure: 'lines', of: ({ lines }) => lines },
  { measure: 'total', of: ({ total }) => total },
  { measure: 'freight', of: ({ freight }) => freight },
  { measure: 'captured', of: ({ captured }) => captured },
  { measure: 'refunded', of: ({ refunded }) => refunded },
  ...statuses.map((status) => ({
    measure: `status ${status}`,
    of: (order: OrderFigures) => (order.status === status ? 1 : 0),
  })),
];

function sumOf(orders: readonly OrderFigures[], of: Measure['of']): number {
  return orders.reduce((total, order) => total + of(order), 0);
}
