import { randomUUID } from 'node:crypto';

import { openEventStore } from '../../../infra/event-store/open.ts';
import { openPaymentTokens } from '../../../infra/payment-tokens/open.ts';
import { openSubjectKeys } from '../../../infra/subject-keys/open.ts';
import type { OrderInput } from '../../../schemas/commands.ts';
import type { CommandId, TenantId } from '../../../schemas/ids.ts';
import { openOrderCommands, type OrderCommands } from '../../../services/order-commands/open.ts';
import { serve } from '../child-process.ts';

export type PlacerRequest =
  { readonly kind: 'open'; readonly url: string } | { readonly kind: 'place'; readonly orders: number };
/** In ms since 1970. */
export type PlacerAnswer = { readonly startedAt: number; readonly endedAt: number };

const outstanding = 1_024;
const tenantId = 'default' as TenantId;

let commands: OrderCommands | undefined;
const closing: { close(): Promise<void> }[] = [];

async function open(url: string): Promise<void> {
  const [store, subjectKeys, paymentTokens] = await Promise.all([
    openEventStore(url),
    openSubjectKeys(url),
    openPaymentTokens(url),
  ]);
  commands = openOrderCommands({ store, subjectKeys, paymentTokens });
  closing.push(store, subjectKeys, paymentTokens);
}

/** Placements through the deciding service, as fast as it takes them: no door slows them down. */
async function place(orders: number): Promise<void> {
  let left = orders;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const commandId = randomUUID() as CommandId;
      const answer = await commands?.place({ tenantId, commandId, correlationId: commandId }, order);
      if (answer?.outcome !== 'accepted') throw new Error(`a placement was ${answer?.outcome ?? 'not opened'}`);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, caller));
}

const order: OrderInput = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [
    { sku: 'SKU-1042', quantity: 2, unitPrice: 1_999 },
    { sku: 'SKU-2077', quantity: 1, unitPrice: 4_550 },
  ],
  shippingFee: 499,
  payments: [{ method: 'card' }],
};

serve(
  async (request: PlacerRequest): Promise<PlacerAnswer> => {
    const startedAt = Date.now();
    if (request.kind === 'open') await open(request.url);
    else await place(request.orders);
    return { startedAt, endedAt: Date.now() };
  },
  async () => {
    for (const opened of closing) await opened.close();
  },
);
