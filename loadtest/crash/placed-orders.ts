import { join } from 'node:path';

import { openHttpClient } from '../orders/http-client.ts';
import type { HttpClient } from '../orders/http-client.ts';
import { doubleCharges, duplicateEffects, lostAnswers, wrongCharges } from '../orders/ledger-checks.ts';
import type { PaymentLedgerEntry } from '../orders/ledger-checks.ts';
import type { PlacingReport } from '../orders/ledger-client.ts';
import { openLedgerFile, readJsonLines, readLedgerFile } from '../orders/ledger-file.ts';
import type { LedgerFile } from '../orders/ledger-file.ts';
import { awaitStatus, readFeed, readOrders } from '../orders/read-orders.ts';
import type { OrderReading } from '../orders/read-orders.ts';
import { stalledSagas } from './stalled-sagas.ts';
import { verify } from '../system/order-center.ts';
import type { VerbTarget } from '../system/order-center.ts';
import type { FaultReport } from '../system/fault-report.ts';
import { openSystem } from '../system/system.ts';
import type { System, SystemOptions } from '../system/system.ts';

/** A system, a client of it and the ledger of what was answered to it. */
export type Shop = { readonly system: System; readonly client: HttpClient; readonly ledger: LedgerFile };

export const tenantId = 'default';
export const concurrency = 32;
/** Longer than a start and the work that waited for it; what is not answered by then counts as unresolved. */
export const retryForMs = 90_000;
const deliveredWithinMs = 60_000;

/** Opens a shop for the time of `use`; nothing of it is left afterwards. */
export async function withShop<Result>(options: SystemOptions, use: (shop: Shop) => Promise<Result>): Promise<Result> {
  const system = await openSystem(options);
  const client = openHttpClient({ url: system.url, tenantId, socketsMax: concurrency });
  const ledger = await openLedgerFile(join(system.folder, 'ledger.jsonl'));
  try {
    return await use({ system, client, ledger });
  } finally {
    client.close();
    await ledger.close();
    await system.close();
  }
}

export type AfterPlacing = {
  readonly seed: number;
  readonly ops: number;
  readonly placed: PlacingReport;
  readonly readyMs: number;
  /** Of `performance.now()`: when the system was last ready. */
  readonly readyAt: number;
  readonly facts?: FaultReport['facts'];
  /** What the scenario itself found. */
  readonly problems?: readonly string[];
};

/** Every claim about orders that were placed while the system died: kept, delivered, charged once, verified. */
export async function checkPlacedOrders(
  shop: Omit<Shop, 'system'> & { readonly system: VerbTarget },
  after: AfterPlacing,
): Promise<FaultReport> {
  const { system, client, ledger } = shop;
  const lines = await readLedgerFile(ledger.path);
  const orderIds = [...new Set(lines.map(({ orderId }) => orderId))];
  const deadline = after.readyAt + deliveredWithinMs;
  const undelivered = await awaitStatus(client, { orderIds, status: 'delivered', deadline });
  const consistentAt = performance.now();
  const hindrances =
    undelivered.size === 0
      ? []
      : [...(await openBreakers(client)), ...(await stalledSagas(client, undelivered.keys()))];
  const readings = await readOrders(client, orderIds);
  const lost = lostAnswers(lines, readings);
  const duplicates = duplicateEffects(lines, await readFeed(client, 'types=OrderPlaced'));
  const entries = await readCharges(system);
  const charges = wrongCharges(readings, entries);
  const { acked, ambiguous, unresolved, replayed } = after.placed;
  return {
    seed: after.seed,
    ops: after.ops,
    acked,
    lost: lost.length,
    dup: duplicates.length + doubleCharges(entries),
    ambiguous,
    unresolved: unresolved.length,
    readyMs: after.readyMs,
    consistentMs: undelivered.size === 0 ? consistentAt - after.readyAt : null,
    facts: {
      replayed,
      undelivered: undelivered.size,
      wrong_charges: charges.length,
      ...after.facts,
      ...errorFacts(after.placed),
    },
    problems: [
      ...(after.problems ?? []),
      ...problemsOfPlacing(after.placed, { ops: after.ops, lines: lines.length }),
      ...lost.map(({ orderId, version }) => `order ${orderId} was acknowledged at version ${version} and is lost`),
      ...duplicates,
      ...hindrances,
      ...[...undelivered].map(toUndelivered),
      ...charges,
      ...(await verify(system, { ledger: ledger.path, required: ['I1', 'I15', 'I24'] })),
    ],
  };
}

function problemsOfPlacing(
  { acked, refused, unresolved }: PlacingReport,
  { ops, lines }: { readonly ops: number; readonly lines: number },
): readonly string[] {
  return [
    ...refused.map(({ placement, reason }) => `${placement.commandId} was refused: ${reason}`),
    ...unresolved.map(({ placement, reason }) => `${placement.commandId} was never answered: ${reason}`),
    ...(acked === lines ? [] : [`${acked} answers were counted, ${lines} are in the ledger`]),
    ...(acked + refused.length + unresolved.length === ops ? [] : [`${ops} commands were sent, ${acked} counted`]),
  ];
}

function toUndelivered([orderId, reading]: readonly [string, OrderReading | null]): string {
  const within = `${deliveredWithinMs / 1_000} s after ready`;
  return `order ${orderId} is ${reading?.status ?? 'missing'} ${reading?.cancelReason ?? ''} ${within}`;
}

function errorFacts({ errors }: PlacingReport): FaultReport['facts'] {
  return { errors: `{${[...errors].map(([code, count]) => `${code}:${count}`).join(',')}}` };
}

/** The simulator's own ledger; none yet where nothing was ever paid. */
async function readCharges(system: VerbTarget): Promise<readonly PaymentLedgerEntry[]> {
  return readJsonLines<PaymentLedgerEntry>(join(system.dataDir, 'simulators', 'payments.jsonl'));
}

/** Why orders may wait: a breaker of ours that gave up on a gateway. */
async function openBreakers(client: HttpClient): Promise<readonly string[]> {
  const metrics = await client.send({ path: '/metrics' });
  const lines = 'noAnswer' in metrics ? [] : metrics.text.split('\n');
  const open = lines.filter((line) => line.startsWith('breaker_open{') && !line.endsWith(' 0'));
  return open.map((line) => `not all was delivered while ${line}`);
}
