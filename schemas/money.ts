/** Money is an integer of minor units, 0 … 2^53−1, beside its ISO 4217 currency. Never a fraction, never a float. */
export const amountMax = Number.MAX_SAFE_INTEGER;

/** The exact sum; null where it leaves the safe integers. */
export function sum(amounts: Iterable<number>): number | null {
  let total = 0;
  for (const amount of amounts) {
    total += amount;
    if (!Number.isSafeInteger(total)) return null;
  }
  return total;
}

/** quantity × unit price; null where it leaves the safe integers. */
export function times(quantity: number, unitPrice: number): number | null {
  const product = quantity * unitPrice;
  return Number.isSafeInteger(product) ? product : null;
}

/** The active ISO 4217 codes as the runtime knows them; XXX (no currency) and XTS (testing) are none. */
const currencies = new Set(Intl.supportedValuesOf('currency').filter((code) => code !== 'XXX' && code !== 'XTS'));

export function isCurrency(code: string): boolean {
  return currencies.has(code);
}
