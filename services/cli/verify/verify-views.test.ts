import { describe, expect, it } from 'vitest';

import type { ParkedStream } from '../../../infra/read-store/parking.ts';
import type { Progress, Row } from '../../../infra/read-store/port.ts';
import type { Position } from '../../../schemas/envelope.ts';
import { newEventId, type StreamName } from '../../../schemas/ids.ts';
import { projections } from '../../../projections/all.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import type { Projection } from '../../../projections/projection.ts';
import { viewsAreFolds } from './invariants/i15-views-are-folds.ts';
import { progressIsTheCheckpoint } from './invariants/i18-progress-is-the-checkpoint.ts';
import { rebuildsAreEqual } from './invariants/i19-rebuilds-are-equal.ts';
import { readYourWrites } from './invariants/i20-read-your-writes.ts';
import type { VerifyInput } from './invariant.ts';
import { eventsOf } from './log.ts';
import { found, goodHistory, history, inputOf, order, orderId, tenantId, viewsOf } from './test-history.ts';
import { verify } from './verify.ts';
import { openViewFolds } from './view-fold.ts';

const good = history(goodHistory);
const orderViews = projections.filter(({ categories }) => categories.includes('order'));

describe('I18', () => {
  const end = good.at(-1)?.position ?? ('' as Position);
  /** Writes the progress of one stream outside of the transaction that it belongs to. */
  const seen = async (stream: StreamName, revision: number, views = viewsOf(good)) => {
    const written: Progress = { stream, revision, eventId: newEventId() };
    const move = { consumer: 'order-summary', partition: 'log', from: end, to: end };
    await (await views).commit({ view: orderSummary.view, documents: [], progress: [written], move });
    return views;
  };

  it('holds on views that followed the log, also one that stopped on the way', async () => {
    expect(await found(progressIsTheCheckpoint, good)).toEqual({ checked: projections.length, violations: [] });
    const views = await viewsOf(good, good[5]?.position);
    expect(await found(progressIsTheCheckpoint, good, { views })).toEqual({
      checked: projections.length,
      violations: [],
    });
  });

  it('finds an event that was dropped', async () => {
    const views = await seen(order, 2);
    expect(await found(progressIsTheCheckpoint, good, { views })).toEqual({
      checked: projections.length,
      violations: [`order-summary dropped ${order} after revision 2`],
    });
  });

  it('finds a stream that was never seen', async () => {
    const views = await viewsOf(good.filter(({ stream }) => stream !== order));
    await views.moveCheckpoint({ consumer: 'order-summary', partition: 'log', from: end, to: end });
    expect(await found(progressIsTheCheckpoint, good, { views })).toMatchObject({
      violations: expect.arrayContaining([`order-summary never saw ${order}`]) as unknown,
    });
  });

  it('finds progress that was written without its checkpoint', async () => {
    const views = await viewsOf(good, good[2]?.position);
    const from = good[2]?.position ?? null;
    const move = { consumer: 'order-summary', partition: 'log', from, to: from ?? end };
    const progress = [{ stream: order, revision: 5, eventId: newEventId() }];
    await views.commit({ view: orderSummary.view, documents: [], progress, move });
    expect(await found(progressIsTheCheckpoint, good, { views })).toMatchObject({
      violations: [`order-summary is ahead of its checkpoint: ${order} at revision 5`],
    });
  });
});

describe('a parked order', () => {
  const end = good.at(-1)?.position ?? ('' as Position);
  const at = good.find(({ stream, revision }) => stream === order && revision === 3);

  /** Views in which order-summary could not take the order's event at revision 3, and all later ones wait. */
  const parkedViews = async (parked: Partial<ParkedStream> = {}) => {
    const views = await viewsOf(good, good[2]?.position);
    for (const { view } of projections) await views.clear(view);
    const before = good.filter(({ stream, revision }) => stream !== order || revision < 3);
    const whole = await viewsOf(good);
    for (const projection of projections) {
      const { view } = projection;
      const source = view.name === 'order-summary' ? await viewsOf(before) : whole;
      const documents: Row[] = [];
      for await (const row of source.scan(view)) documents.push(row);
      const progress: Progress[] = [];
      for await (const each of source.scanProgress(view.name)) progress.push(each);
      const parking = view.name === 'order-summary' ? { parking: { streams: [stream(parked)], events: [] } } : {};
      const move = { consumer: view.name, partition: 'log', from: null, to: end };
      await views.commit({ view, documents, progress, move, ...parking });
    }
    return views;
  };
  const stream = (changes: Partial<ParkedStream>): ParkedStream => ({
    ...{ consumer: 'order-summary', stream: order, tenantId, firstRevision: 3, firstPosition: at?.position ?? end },
    ...{ lastRevision: 6, fingerprint: 'f', error: 'x', since: '2026-01-01T00:00:00.000Z', attempts: 0 },
    ...{ lastAttemptAt: null, state: 'parked', ...changes },
  });

  it('is compared as far as its view goes, and named, and is no violation', async () => {
    const views = await parkedViews();
    const [verdict] = await verify([viewsAreFolds], await inputOf(good, { views }));
    expect(verdict?.finding).toMatchObject({ checked: orderViews.length, violations: { count: 0 } });
    expect(verdict?.finding).toHaveProperty('remark', expect.stringContaining('1 order is parked in order-summary'));
    expect(await found(progressIsTheCheckpoint, good, { views })).toMatchObject({ violations: [] });
    expect(await found(rebuildsAreEqual, good, { views })).toMatchObject({ violations: [] });
  });

  it('is a violation where its view stands elsewhere, or let a later event fall', async () => {
    const moved = await found(progressIsTheCheckpoint, good, { views: await parkedViews({ firstRevision: 5 }) });
    expect(moved).toMatchObject({ violations: [`order-summary parked ${order} from revision 5, and stands at 2`] });
    const dropped = await found(progressIsTheCheckpoint, good, { views: await parkedViews({ lastRevision: 4 }) });
    expect(dropped).toMatchObject({
      violations: [`order-summary dropped ${order}, which is parked, after revision 4`],
    });
    const given = await parkedViews({ lastRevision: 4, state: 'discarded' });
    expect(await found(progressIsTheCheckpoint, good, { views: given })).toMatchObject({ violations: [] });
  });
});

describe('I19', () => {
  /** The check over views of its own, on the whole log. */
  const check = async (projections: readonly Projection[]) => {
    const input = await inputOf(good);
    const folds = openViewFolds(projections);
    const checking = await rebuildsAreEqual.check(input, folds);
    for await (const event of eventsOf(input, null)) folds.apply(event);
    return checking.finish();
  };

  it('holds for every view', async () => {
    expect(await found(rebuildsAreEqual, good)).toEqual({ checked: orderViews.length, violations: [] });
  });

  it('finds a projection that keeps something between its events', async () => {
    let calls = 0;
    const counting: Projection = {
      ...orderSummary,
      changes: ({ tenantId }) => [{ tenantId, key: 'k', update: () => ({ calls: (calls += 1) }) }],
    };
    expect(await check([counting])).toMatchObject({
      violations: { examples: ['order-summary of default k is built anew as another document'] },
    });
  });

  it('finds a document that only one of two rebuilds makes', async () => {
    const made = new Set<string>();
    const once: Projection = {
      ...orderSummary,
      changes: ({ tenantId, eventId }) => {
        const key = made.has(eventId) ? 'second' : 'first';
        made.add(eventId);
        return [{ tenantId, key, update: () => ({ a: 1 }) }];
      },
    };
    expect(await check([once])).toMatchObject({ violations: { count: 2 } });
  });
});

describe('I20', () => {
  const read = (answer: number | 'not yet' | null): Partial<VerifyInput> => ({
    readAtLeast: ({ minVersion }) => {
      expect(minVersion).toBe(7);
      return Promise.resolve(answer);
    },
  });

  it('takes the version, a newer one, and a door that says not yet', async () => {
    for (const answer of [7, 8, 'not yet'] as const) {
      expect(await found(readYourWrites, good, read(answer))).toEqual({ checked: 1, violations: [] });
    }
  });

  it('finds an older answer and none', async () => {
    expect(await found(readYourWrites, good, read(6))).toEqual({
      checked: 1,
      violations: [`order ${orderId} was read at 6 with minVersion 7`],
    });
    expect(await found(readYourWrites, good, read(null))).toMatchObject({ violations: { length: 1 } });
    expect(await found(readYourWrites, good)).toHaveProperty('notChecked');
  });
});
