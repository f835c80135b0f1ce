import type { Origin, RecordedEvent } from '../../../../schemas/envelope.ts';
import type { OrderAmendedData, OrderPlacedData } from '../../../../schemas/generated/events.ts';
import { isCurrency, sum, times } from '../../../../schemas/money.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant } from '../invariant.ts';

export const exactMoney: Invariant = {
  id: 'I22',
  statement: 'Money is integer minor units and a currency, and adds up: lines + tax + shipping - discount = total.',
  check: () => {
    const violations = noViolations();
    let checked = 0;
    return {
      see: (event) => {
        const problems = problemsOf(event);
        if (problems === null) return;
        checked += 1;
        for (const problem of problems) violations.add(`${event.stream} ${event.type}: ${problem}`);
      },
      finish: () => ({ checked, violations }),
    };
  },
};

/** null: an event without money. */
function problemsOf(event: RecordedEvent): readonly string[] | null {
  switch (event.type) {
    case 'OrderPlaced':
      return placementProblems(event.data, event.origin);
    case 'OrderAmended':
      // Whatever the order was before, from its amendment on its payments pay it.
      return [...amountProblems({ previousTotal: event.data.previousTotal }), ...sumProblems(event.data, true)];
    case 'PaymentAuthorized':
    case 'PaymentCaptured':
    case 'PaymentVoided':
    case 'PaymentRefunded':
    case 'RefundRequested': {
      const { amount, currency } = event.data;
      return [...amountProblems({ amount }), ...currencyProblems(currency)];
    }
    default:
      return null;
  }
}

/** Imported history keeps what was paid as it was, so there payments may add up to another sum. */
function placementProblems(data: OrderPlacedData, origin: Origin): readonly string[] {
  return [...currencyProblems(data.currency), ...sumProblems(data, origin === 'live')];
}

function sumProblems(
  { lines, totals, payments }: Pick<OrderAmendedData, 'lines' | 'totals' | 'payments'>,
  arePaymentsTheTotal: boolean,
): readonly string[] {
  const { subtotal, tax, shipping, discount, total } = totals;
  const ofLines = sum(lines.map(({ quantity, unitPrice }) => times(quantity, unitPrice) ?? Number.NaN));
  const ofTaxes = sum(lines.map((line) => line.tax));
  const ofTotals = sum([subtotal, tax, shipping, -discount]);
  const ofPayments = sum(payments.map(({ amount }) => amount));
  const equations = [
    { name: 'the lines', left: ofLines, right: subtotal },
    { name: 'the taxes', left: ofTaxes, right: tax },
    { name: 'the totals', left: ofTotals, right: total },
    ...(arePaymentsTheTotal ? [{ name: 'the payments', left: ofPayments, right: total }] : []),
  ];
  return [
    ...amountProblems(totals),
    ...lines.flatMap(({ unitPrice, tax: ofLine }) => amountProblems({ unitPrice, tax: ofLine })),
    ...payments.flatMap(({ amount }) => amountProblems({ amount })),
    ...equations
      .filter(({ left, right }) => left !== right)
      .map(({ name, left, right }) => `${name} add up to ${left ?? 'no integer'}, not ${right}`),
  ];
}

function amountProblems(amounts: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(amounts)
    .filter(([, amount]) => !Number.isSafeInteger(amount) || Number(amount) < 0)
    .map(([name, amount]) => `${name} is ${JSON.stringify(amount)}`);
}

function currencyProblems(currency: string): readonly string[] {
  return isCurrency(currency) ? [] : [`the currency is ${JSON.stringify(currency)}`];
}
