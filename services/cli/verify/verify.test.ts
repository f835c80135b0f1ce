import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { projections } from '../../../projections/all.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import { openMemoryEventStore } from '../../../infra/event-store/memory/memory-event-store.ts';
import { newEventId } from '../../../schemas/ids.ts';
import type { CommandId } from '../../../schemas/ids.ts';
import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';
import { invariants } from './invariants/all.ts';
import { ackedCommands } from './invariants/i01-acked-commands.ts';
import { oneEffect } from './invariants/i02-one-effect.ts';
import { denseVersions } from './invariants/i06-dense-versions.ts';
import { orderOnTheFeed } from './invariants/i09-order-on-the-feed.ts';
import { viewsAreFolds } from './invariants/i15-views-are-folds.ts';
import { versionsNeverGoBack } from './invariants/i16-versions-never-go-back.ts';
import { exactMoney } from './invariants/i22-exact-money.ts';
import { moneyMoves } from './invariants/i23-money-moves.ts';
import { oneCharge } from './invariants/i24-one-charge.ts';
import { stock } from './invariants/i26-stock.ts';
import { sagaEnds } from './invariants/i28-saga-ends.ts';
import { begun, cacheOf, captured, completed, found, goodHistory, history, inputOf, money } from './test-history.ts';
import type { Happened } from './test-history.ts';
import { order, orderId, placed, placement, saga, sku, snapshotOf, tenantId, viewsOf } from './test-history.ts';
import { verify } from './verify.ts';

const orderViews = projections.filter(({ categories }) => categories.includes('order'));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'order-center-verify-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('verify', () => {
  it('checks every invariant on a good history and finds no violation', async () => {
    const input = await inputOf(good, {
      snapshots: cacheOf({ tenantId, orderId, tier: 'fill', leftMs: 1_000, snapshot: snapshotOf(good) }),
      ledgerFile: await file('ledger.jsonl', [acked]),
      readsFile: await file('reads.jsonl', [{ orderId, version: 1, at: 'x' }]),
      paymentsFile: await file('payments.jsonl', [charge]),
      readVersion: () => Promise.resolve(7),
      readAtLeast: () => Promise.resolve(7),
      nowMs: Date.parse('2026-06-01'),
    });
    for (const { id, finding } of await verify(invariants, input)) {
      expect({ id, ...finding }).toMatchObject({ id, violations: { count: 0 } });
      expect('checked' in finding && finding.checked).toBeGreaterThan(0);
    }
  });

  it('never takes nothing for a pass', async () => {
    for (const { finding } of await verify(invariants, await inputOf([]))) expect(finding).toHaveProperty('notChecked');
  });

  it('counts all violations and keeps ten', async () => {
    const fraction: Happened = {
      ...{ stream: order, type: 'PaymentCaptured' },
      data: { ...money, amount: 0.5, providerId: 'x' },
    };
    const wrong = history(Array.from({ length: 25 }, () => fraction));
    const [verdict] = await verify([exactMoney], await inputOf(wrong));
    expect(verdict?.finding).toMatchObject({ checked: 25, violations: { count: 25, examples: { length: 10 } } });
  });
});

describe('I1', () => {
  it('finds the acknowledged command whose event is not there', async () => {
    const lines = [
      acked,
      { ...acked, version: 9 },
      { ...acked, commandId: 'other' },
      { ...acked, status: 503, version: 8 },
    ];
    expect(await found(ackedCommands, good, { ledgerFile: await file('ledger.jsonl', lines) })).toEqual({
      checked: 3,
      violations: [
        `line 2: command c1 has no event in ${order} at version 9`,
        `line 3: command other has no event in ${order} at version 1`,
      ],
    });
  });

  it('takes an acceptance that changed nothing', async () => {
    const store = openMemoryEventStore();
    const command = { tenantId, commandId: 'noop' as CommandId, commandHash: 'h', stream: order };
    const event = { eventId: newEventId(), type: 'OrderCancelled', schemaVersion: 1, occurredAt: undefined, data: {} };
    const origins = { origin: 'live', correlationId: 'x', causationId: null } as const;
    await store.append({ ...command, ...origins, commandId: 'c' as CommandId, expected: 'none', events: [event] });
    await store.recordAnswer({ ...command, version: 1, rejection: null }, 0);
    const ledgerFile = await file('ledger.jsonl', [{ ...acked, commandId: 'noop' }]);
    expect(await found(ackedCommands, [], { store, ledgerFile })).toEqual({ checked: 1, violations: [] });
  });

  it('says which line of the ledger it cannot read, and leaves out one that is still being written', async () => {
    const ledgerFile = join(folder, 'ledger.jsonl');
    await writeFile(ledgerFile, `${JSON.stringify(acked)}\n{"tenantId": "defa`);
    expect(await found(ackedCommands, good, { ledgerFile })).toEqual({ checked: 1, violations: [] });
    await writeFile(ledgerFile, '{broken\n{}\n');
    await expect(found(ackedCommands, good, { ledgerFile })).rejects.toThrow('line 1 is not JSON');
    await expect(found(ackedCommands, good, { ledgerFile: join(folder, 'none') })).rejects.toThrow('cannot be read');
  });
});

describe('I2', () => {
  it('finds a command with effects in two streams', async () => {
    const twice = history([
      { ...placed, commandId: 'same' },
      { ...begun, commandId: 'same' },
    ]);
    const place = `${saga} at revision 0`;
    expect(await found(oneEffect, twice)).toEqual({
      checked: 2,
      violations: [`command same has an effect in ${order} and another in ${place}`],
    });
  });

  it('finds a command that came to one stream again', async () => {
    const again = history([{ ...placed, commandId: 'same' }, captured, { ...captured, commandId: 'same' }]);
    expect(await found(oneEffect, again)).toMatchObject({ violations: { length: 1 } });
    const atOnce = history([
      { ...placed, commandId: 'same' },
      { ...captured, commandId: 'same' },
    ]);
    expect(await found(oneEffect, atOnce)).toMatchObject({ violations: { length: 1 } });
  });

  it('takes the events of one append for one effect', async () => {
    const one = history([
      { ...placed, commandId: 'same', at: 0 },
      { ...captured, commandId: 'same', at: 0 },
    ]);
    expect(await found(oneEffect, one)).toEqual({ checked: 1, violations: [] });
  });
});

describe('I6', () => {
  it('finds a gap and a revision that is there twice, and takes any order', async () => {
    const at = (revision: number) => ({ ...captured, revision });
    expect(await found(denseVersions, history([at(0), at(2), at(1)]))).toEqual({ checked: 1, violations: [] });
    expect(await found(denseVersions, history([at(0), at(2)]))).toMatchObject({
      violations: [`${order} has no revision 1`],
    });
    expect(await found(denseVersions, history([at(0), at(1), at(1)]))).toMatchObject({
      violations: [`${order} has revision 1 twice`],
    });
  });
});

describe('I9', () => {
  it('finds an event that comes before its predecessor, and allows repeats', async () => {
    const at = (revision: number) => ({ ...captured, revision });
    expect(await found(orderOnTheFeed, history([at(0), at(1), at(0), at(1), at(2)]))).toEqual({
      checked: 5,
      violations: [],
    });
    expect(await found(orderOnTheFeed, history([at(0), at(2), at(1)]))).toMatchObject({
      violations: [`${order} brings revision 2 before 1`],
    });
  });
});

describe('I15', () => {
  it('finds a document that is not its fold, one that is missing, and one of no event', async () => {
    const views = await viewsOf(good);
    const [summary = null] = await views.find(orderSummary.view, [{ tenantId, key: orderId }]);
    const to = good.at(-1)?.position ?? ('' as Position);
    const move = { consumer: 'order-summary', partition: 'log', from: to, to };
    const write = (key: string, document: typeof summary) =>
      views.commit({ view: orderSummary.view, documents: [{ tenantId, key, document }], progress: [], move });
    await write(orderId, summary && { ...summary, status: 'placed' });
    expect(await found(viewsAreFolds, good, { views })).toMatchObject({ violations: [notItsFold(orderId)] });
    await write(orderId, null);
    expect(await found(viewsAreFolds, good, { views })).toMatchObject({ violations: [notItsFold(orderId)] });
    await write(orderId, summary);
    await write('stranger', summary);
    expect(await found(viewsAreFolds, good, { views })).toMatchObject({ violations: [notItsFold('stranger')] });
  });

  it('compares a view that is behind with the fold up to its checkpoint, and says so', async () => {
    const views = await viewsOf(good, good[5]?.position);
    const [verdict] = await verify([viewsAreFolds], await inputOf(good, { views }));
    expect(verdict?.finding).toMatchObject({ checked: projections.length, violations: { count: 0 } });
    expect(verdict?.finding).toHaveProperty('remark', expect.stringContaining('order-summary is behind the log'));
  });

  it('does not take a view that moves on while it looks for a wrong one', async () => {
    const input = await inputOf(good, { readVersion: () => Promise.resolve(1), patienceMs: 1_000 });
    // The log ended earlier when the pass began; it and the views are further by now.
    let looks = 0;
    const readLog: typeof input.store.readLog = async (query) => {
      const page = await input.store.readLog(query);
      looks += 1;
      return looks === 3 ? { ...page, atEnd: true } : page;
    };
    const [verdict] = await verify([viewsAreFolds], { ...input, store: { ...input.store, readLog } });
    // Its saga has ended by then.
    expect(verdict?.finding).toMatchObject({ checked: orderViews.length, violations: { count: 0 } });
  });
});

describe('I16', () => {
  it('finds a version that went back in a log of reads', async () => {
    const readsFile = await file('reads.jsonl', [
      { orderId, version: 2, at: 'a' },
      { orderId: 'other', version: 1, at: 'b' },
      { orderId, version: 1, at: 'c' },
    ]);
    expect(await found(versionsNeverGoBack, good, { readsFile })).toEqual({
      checked: 4,
      violations: [`line 3: ${orderId} was read at 1 after 2`],
    });
  });

  it('finds a version that went back in the view, behind the door, and an order that is not there', async () => {
    const views = await viewsOf(good);
    const older: typeof views.find = async (view, keys) =>
      (await views.find(view, keys)).map((document) => document && { ...document, version: 1 });
    expect(await found(versionsNeverGoBack, good, { views: { ...views, find: older } })).toMatchObject({
      violations: [`order ${orderId} is in the view at 1 after 7`],
    });
    const versions = [5, 4];
    const back = () => Promise.resolve(versions.shift() ?? null);
    expect(await found(versionsNeverGoBack, good, { readVersion: back })).toMatchObject({
      violations: [`order ${orderId} was answered at 4 after 5`],
    });
    expect(await found(versionsNeverGoBack, good, { readVersion: () => Promise.resolve(null) })).toMatchObject({
      violations: [`order ${orderId} is in the view and not behind the door`],
    });
  });
});

describe('I22', () => {
  it.each([
    [{ currency: 'XXX' }, 'the currency is "XXX"'],
    [{ totals: { ...placement.totals, subtotal: 801 } }, 'the lines add up to 800, not 801'],
    [{ totals: { ...placement.totals, tax: 49 } }, 'the taxes add up to 50, not 49'],
    [{ totals: { ...placement.totals, discount: 49 } }, 'the totals add up to 1001, not 1000'],
    [{ payments: [{ paymentId: 'p1', method: 'card', amount: 999 }] }, 'the payments add up to 999, not 1000'],
    [{ payments: [{ paymentId: 'p1', method: 'card', amount: 10.5 }] }, 'amount is 10.5'],
  ])('finds a placement with %j', async (change, violation) => {
    const wrong = history([{ stream: order, type: 'OrderPlaced', data: { ...placement, ...change } }]);
    expect(await found(exactMoney, wrong)).toHaveProperty(
      'violations',
      expect.arrayContaining([`${order} OrderPlaced: ${violation}`]),
    );
  });

  it('finds an amendment that does not add up', async () => {
    const { lines, totals, payments } = placement;
    const amended = { orderId, currency: 'EUR', lines, totals, payments, previousTotal: 1_000, sealed: null };
    const unpaid = { ...amended, payments: [{ paymentId: 'p1', method: 'bank_slip', amount: 1 }] };
    const amendments = [amended, unpaid].map((data) => ({ stream: order, type: 'OrderAmended', data }) as const);
    expect(await found(exactMoney, history([placed, ...amendments]))).toEqual({
      checked: 3,
      violations: [`${order} OrderAmended: the payments add up to 1, not 1000`],
    });
  });

  it('leaves it to imported history what was paid', async () => {
    const data = { ...placement, payments: [{ paymentId: 'p1', method: 'card', amount: 999 }] };
    const imported = history([{ stream: order, type: 'OrderPlaced', data, origin: 'backfill' }]);
    expect(await found(exactMoney, imported)).toEqual({ checked: 1, violations: [] });
  });
});

describe('I23', () => {
  it('finds more captured than authorized, more refunded than captured, and two currencies', async () => {
    const refunded = {
      stream: order,
      type: 'PaymentRefunded',
      data: { ...money, refundId: null, providerId: 'r' },
    } as const;
    const authorized = { stream: order, type: 'PaymentAuthorized', data: { ...money, providerId: 'a' } } as const;
    expect(await found(moneyMoves, history([placed, captured]))).toMatchObject({
      violations: [`order ${orderId}: authorized 0, captured 1000, refunded 0`],
    });
    expect(await found(moneyMoves, history([placed, authorized, captured, refunded, refunded]))).toMatchObject({
      violations: [`order ${orderId}: authorized 1000, captured 1000, refunded 2000`],
    });
    const dollars = { ...authorized, data: { ...authorized.data, currency: 'USD' } };
    expect(await found(moneyMoves, history([placed, dollars]))).toMatchObject({
      violations: [`order ${orderId} has BRL and USD`],
    });
  });
});

describe('I24', () => {
  const checkedWith = async (lines: readonly object[], events = good) =>
    found(oneCharge, events, { paymentsFile: await file('payments.jsonl', lines) });

  it('finds a key that was captured twice', async () => {
    expect(await checkedWith([charge, charge])).toMatchObject({
      violations: ['key k1 was captured twice', `order ${orderId}: the gateway captured 2000, its events say 1000`],
    });
  });

  it('finds a charge that no event tells of, and an event without a charge', async () => {
    const refund = { ...charge, op: 'refund', key: 'k2' };
    expect(await checkedWith([charge, refund])).toMatchObject({
      violations: [`order ${orderId}: the gateway refunded 1000, its events say 0`],
    });
    expect(await checkedWith([{ ...charge, result: 'declined:CARD_DECLINED' }])).toMatchObject({
      violations: [`order ${orderId}: the gateway captured 0, its events say 1000`],
    });
  });

  it('finds an orphan: a charge whose order is not in the log', async () => {
    expect(await checkedWith([charge, { ...charge, key: 'k2', orderId: 'nobody' }])).toMatchObject({
      violations: ['order nobody was charged and is not in the log'],
    });
  });

  it('leaves out what is still being settled and what was imported', async () => {
    const open = history(goodHistory.filter((event) => event !== completed && event !== captured));
    expect(await checkedWith([charge], open)).toHaveProperty('notChecked');
    const imported = history([placed, captured].map((event) => ({ ...event, origin: 'backfill' as const })));
    expect(await checkedWith([], imported)).toHaveProperty('notChecked');
  });

  it('says that there is no ledger', async () => {
    expect(await found(oneCharge, good, { paymentsFile: join(folder, 'none') })).toHaveProperty('notChecked');
  });
});

describe('I26', () => {
  it('finds more reserved than there is, and what was taken without being there', async () => {
    const received = { stream: sku, type: 'StockReceived', data: { sku: 'A', quantity: 1 } } as const;
    const reserved = { stream: sku, type: 'StockReserved', data: { sku: 'A', orderId, quantity: 2 } } as const;
    const deducted = { stream: sku, type: 'StockDeducted', data: { sku: 'A', orderId, quantity: 1 } } as const;
    expect(await found(stock, history([received, reserved]))).toEqual({
      checked: 1,
      violations: [`${sku} at revision 1: 1 on hand, 2 reserved`],
    });
    const changed = {
      ...({ stream: sku, type: 'StockReservationChanged' } as const),
      data: { sku: 'A', orderId, quantity: 3, previousQuantity: 1, orderVersion: 2 },
    };
    expect(await found(stock, history([received, changed]))).toMatchObject({
      violations: [`${sku} at revision 1: 1 on hand, 2 reserved`],
    });
    expect(await found(stock, history([received, deducted]))).toMatchObject({
      violations: [`${sku} at revision 1: 0 on hand, -1 reserved`],
    });
  });
});

describe('I28', () => {
  const hourLater = { nowMs: Date.parse('2026-01-01T01:00:00Z') };
  const stuckSince = (second: string, at: string) => [
    `order ${orderId} is stuck since 2026-01-01T00:00:${second}.000Z: ${at}`,
  ];

  it('finds a saga that does nothing any more, and a live order without one', async () => {
    const attempted = {
      ...({ stream: saga, type: 'StepAttempted' } as const),
      data: { orderId, step: 'book-shipment', direction: 'run', attempt: 1, effectKey: 'k' } as const,
    };
    expect(await found(sagaEnds, history([placed, begun, attempted]), hourLater)).toEqual({
      checked: 1,
      violations: stuckSince('02', 'StepAttempted book-shipment'),
    });
    const other = { ...begun, stream: saga, data: { ...begun.data, orderId: 'other' } } as typeof begun;
    expect(await found(sagaEnds, history([placed, other]), hourLater)).toHaveProperty(
      'violations',
      expect.arrayContaining(stuckSince('00', 'no saga has begun')),
    );
  });

  it('waits with a saga for its timers, but not for one that is overdue', async () => {
    const timer = (delayMs: number) => ({
      ...({ stream: saga, type: 'TimerScheduled' } as const),
      data: { orderId, timerId: 't1', kind: 'unpaid-expiry', delayMs },
    });
    expect(await found(sagaEnds, history([placed, begun, timer(7_200_000)]), hourLater)).toMatchObject({
      violations: [],
    });
    expect(await found(sagaEnds, history([placed, begun, timer(8_000)]), hourLater)).toMatchObject({
      violations: stuckSince('10', 'TimerScheduled'),
    });
  });

  it('takes a parked saga, one that ended, imported history, and one that stopped with the system', async () => {
    const parked = {
      ...({ stream: saga, type: 'FulfillmentQuarantined' } as const),
      data: { orderId, step: 'capture-payment', code: 'INTERNAL', detail: '' },
    };
    const fine = { checked: 1, violations: [] };
    expect(await found(sagaEnds, history([placed, begun, parked]), hourLater)).toEqual(fine);
    expect(await found(sagaEnds, good, hourLater)).toEqual(fine);
    expect(await found(sagaEnds, history([placed, begun]))).toEqual(fine);
    const imported = history([begun, completed, { ...placed, origin: 'backfill' }]);
    expect(await found(sagaEnds, imported, hourLater)).toEqual(fine);
  });
});

const good: readonly RecordedEvent[] = history(goodHistory);
const acked = { tenantId, commandId: 'c1', orderId, version: 1, status: 201 };
const charge = {
  ...{ at: 'x', op: 'capture', key: 'k1', orderId, paymentId: 'p1' },
  ...{ amount: 1_000, currency: 'BRL', result: 'succeeded' },
};

function notItsFold(key: string): string {
  return `order-summary of default ${key} is not its fold`;
}

async function file(name: string, lines: readonly object[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}
