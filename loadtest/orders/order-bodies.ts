import { between } from './seeded-random.ts';
import type { Random } from './seeded-random.ts';

/** The body of `POST /v1/orders`, as the public contract spells it. */
export type OrderBody = {
  readonly reference: string;
  readonly customerId: string;
  readonly currency: string;
  readonly lines: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly unitPrice: number;
    readonly tax: number;
  }[];
  readonly shippingFee: number;
  readonly shippingAddress: Readonly<Record<'name' | 'line1' | 'city' | 'postalCode' | 'country', string>>;
  readonly email: string;
  readonly payments: readonly { readonly method: string; readonly token?: string }[];
};

/** One placement: the same command id, the same body, however often it is sent. */
export type Placement = { readonly commandId: string; readonly body: OrderBody };

export type PlacementsOptions = {
  readonly count: number;
  readonly random: Random;
  /** Keeps the command ids and references of two runs on one system apart. */
  readonly prefix: string;
  /** `card` is paid by itself; `bank_slip` waits for a webhook, and expires. */
  readonly method?: Method | (() => Method);
};

export type Method = 'card' | 'bank_slip';

/** Orders of one to three lines of goods whose stock is not tracked: nothing but a fault can keep them from delivery. */
export function placements(options: PlacementsOptions): readonly Placement[] {
  return [...eachPlacement(options)];
}

/** The same, each made when it is asked for: of a long run, not all are kept. */
export function* eachPlacement({ count, random, prefix, method = 'card' }: PlacementsOptions): Generator<Placement> {
  for (let index = 0; index < count; index += 1) {
    const reference = `${prefix}-${index}`;
    const chosen = typeof method === 'string' ? method : method();
    yield { commandId: `place-${reference}`, body: orderBody(reference, random, chosen) };
  }
}

const customersMax = 200;
const skusMax = 500;

function orderBody(reference: string, random: Random, method: Method): OrderBody {
  const customer = between(random, 1, customersMax);
  const lines = Array.from({ length: between(random, 1, 3) }, () => ({
    sku: `load-${between(random, 1, skusMax)}`,
    quantity: between(random, 1, 5),
    unitPrice: between(random, 100, 50_000),
    tax: between(random, 0, 500),
  }));
  return {
    reference,
    customerId: `customer-${customer}`,
    currency: 'EUR',
    lines,
    shippingFee: between(random, 0, 900),
    shippingAddress: {
      name: `Customer ${customer}`,
      line1: `Example Street ${customer}`,
      city: 'Berlin',
      postalCode: '10115',
      country: 'DE',
    },
    email: `customer-${customer}@example.test`,
    payments: [method === 'card' ? { method, token: 'tok_visa' } : { method }],
  };
}
