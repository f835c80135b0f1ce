import { findRunning } from '../../infra/local/data-dir.ts';
import { openSystem, type System } from '../system/system.ts';
import { jsonOf, openHttpClient, type HttpClient } from '../orders/http-client.ts';
import type { Placement } from '../orders/order-bodies.ts';
import { openEventTable, type EventTable } from './planted-event.ts';

/** One sentence, and whether it came true on the running system. */
export type Claim = { readonly claim: string; readonly holds: boolean; readonly seen: string };

export type RunOptions = {
  /** Leaves the data folder and the log where they are. */
  readonly keep: boolean;
  readonly say: (line: string) => void;
};

/** The real system on a folder of its own, and a hand in its table of events. */
export type PoisonedShop = {
  readonly system: System;
  readonly client: HttpClient;
  readonly events: EventTable;
  readonly claim: (sentence: string, holds: boolean, seen: unknown) => void;
};

const tenantId = 'default';

/** Opens a shop for the time of `use`; returns what it claimed. */
export async function withPoisonedShop(
  name: string,
  { keep, say }: RunOptions,
  use: (shop: PoisonedShop) => Promise<void>,
): Promise<readonly Claim[]> {
  const claims: Claim[] = [];
  const claim: PoisonedShop['claim'] = (sentence, holds, seen) => {
    const told = JSON.stringify(seen);
    claims.push({ claim: sentence, holds, seen: told });
    say(`${holds ? 'holds' : 'DOES NOT HOLD'}: ${sentence} (${told})`);
  };
  // An unpaid order waits for a webhook that never comes: nothing but the planted events happens to it.
  const system = await openSystem({ name, keep, environment: { UNPAID_EXPIRY_MS: '3600000' } });
  const client = openHttpClient({ url: system.url, tenantId, socketsMax: 16 });
  try {
    system.launch();
    say(`${name}: ready after ${Math.round(await system.awaitReady())} ms at ${system.url}`);
    const running = await findRunning(system.dataDir);
    await use({ system, client, events: openEventTable(running?.postgresUrl ?? ''), claim });
  } finally {
    client.close();
    await system.close();
  }
  return claims;
}

/** As a writer's bug would leave it: it lacks its lines, and no view that looks at them can fold it. */
export function withoutLines(orderId: string) {
  return { type: 'ShipmentDispatched', data: { orderId, shipmentId: 's1', providerId: 'x' } } as const;
}

export type Placed = {
  readonly orderId: string;
  readonly lines: readonly { readonly lineId: string; readonly quantity: number }[];
};

export async function placed(client: HttpClient, { commandId, body }: Placement): Promise<Placed> {
  const answer = await client.send({ path: '/v1/orders', post: { key: commandId, body } });
  if ('noAnswer' in answer || answer.status !== 201)
    throw new Error(`an order was not placed: ${JSON.stringify(answer)}`);
  const { orderId, lines } = jsonOf(answer) as Placed;
  return { orderId, lines: lines.map(({ lineId, quantity }) => ({ lineId, quantity })) };
}

type Shown = { readonly orderId: string; readonly version: number; readonly asOf: AsOf };
type AsOf = { readonly parked: boolean; readonly lagMs: number };
/** `status` 0: no answer. */
export type Seen = { readonly status: number; readonly version: number; readonly parked: boolean };

export async function read(client: HttpClient, orderId: string, query = ''): Promise<Seen> {
  const answer = await client.send({ path: `/v1/orders/${orderId}${query}` });
  if ('noAnswer' in answer || answer.status !== 200) {
    return { status: 'noAnswer' in answer ? 0 : answer.status, version: 0, parked: false };
  }
  const { version, asOf } = jsonOf(answer) as Shown;
  return { status: answer.status, version, parked: asOf.parked };
}

export async function listed(client: HttpClient): Promise<readonly Shown[]> {
  const answer = await client.send({ path: '/v1/orders?limit=200' });
  return 'noAnswer' in answer ? [] : (jsonOf(answer).items as readonly Shown[]);
}

/** null: there is no such sample. */
export async function metric(client: HttpClient, sample: string): Promise<number | null> {
  const answer = await client.send({ path: '/metrics' });
  const lines = 'noAnswer' in answer ? [] : answer.text.split('\n');
  const line = lines.find((each) => each.startsWith(`${sample} `));
  return line === undefined ? null : Number(line.slice(sample.length));
}
