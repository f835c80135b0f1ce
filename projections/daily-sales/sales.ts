/** The day of facts whose time nobody knows. */
export const unknownDay = 'unknown';

/**
 * What one tenant sold on one day in one currency. Amounts are integer minor units; each fact counts on the day when it
 * happened, so a capture of tomorrow is in tomorrow's row and a row is not the life of the orders placed in it.
 */
export type DailySales = {
  /** `YYYY-MM-DD` in UTC, or `unknown`. */
  readonly day: string;
  /** ISO 4217. */
  readonly currency: string;
  /** Placed. */
  readonly orders: number;
  /** Units of their lines. */
  readonly units: number;
  /** Σ totals of the orders placed. */
  readonly placed: number;
  /** Σ what amendments added to totals or, below 0, took away. */
  readonly amended: number;
  readonly captured: number;
  readonly refunded: number;
  /** captured - refunded: what stayed. Below 0 on a day of refunds. */
  readonly net: number;
};

export function noSales(day: string, currency: string): DailySales {
  return { day, currency, orders: 0, units: 0, placed: 0, amended: 0, captured: 0, refunded: 0, net: 0 };
}

export type Sold = Partial<Omit<DailySales, 'day' | 'currency' | 'net'>>;

/** The row after one more fact. */
export function withSold(sales: DailySales, sold: Sold): DailySales {
  const added = {
    ...sales,
    orders: add(sales.orders, sold.orders),
    units: add(sales.units, sold.units),
    placed: add(sales.placed, sold.placed),
    amended: add(sales.amended, sold.amended),
    captured: add(sales.captured, sold.captured),
    refunded: add(sales.refunded, sold.refunded),
  };
  return { ...added, net: add(added.captured, -added.refunded) };
}

/**
 * Sums stop at the safe integers, ±(2^53 - 1): ninety trillion in a currency of two digits, on one day of one shop. Past
 * them they would be wrong by rounding, silently; so they say the bound, and the same on every rebuild.
 */
function add(sum: number, amount = 0): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, sum + amount));
}
