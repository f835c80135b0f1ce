import { describe, expect, it } from 'vitest';

import type { Progress } from '../../../infra/read-store/port.ts';
import type { Position } from '../../../schemas/envelope.ts';
import { newEventId, type StreamName } from '../../../schemas/ids.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import type { Projection } from '../../../projections/projection.ts';
import { progressIsTheCheckpoint } from './invariants/i18-progress-is-the-checkpoint.ts';
import { rebuildsAreEqual } from './invariants/i19-rebuilds-are-equal.ts';
import { readYourWrites } from './invariants/i20-read-your-writes.ts';
import type { VerifyInput } from './invariant.ts';
import { eventsOf } from './log.ts';
import { found, goodHistory, history, inputOf, order, orderId, viewsOf } from './test-history.ts';
import { openViewFolds } from './view-fold.ts';

const good = history(goodHistory);

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
    expect(await found(progressIsTheCheckpoint, good)).toEqual({ checked: 3, violations: [] });
    const views = await viewsOf(good, good[5]?.position);
    expect(await found(progressIsTheCheckpoint, good, { views })).toEqual({ checked: 3, violations: [] });
  });

  it('finds an event that was dropped', async () => {
    const views = await seen(order, 2);
    expect(await found(progressIsTheCheckpoint, good, { views })).toEqual({
      checked: 3,
      violations: [`order-summary dropped ${order} after revision 2`],
    });
  });

  it('finds a stream that was never seen', async () => {
    const views = await viewsOf(good.filter(({ stream }) => stream !== order));
    await views.moveCheckpoint({ consumer: 'order-summary', partition: 'log', from: end, to: end });
    expect(await found(progressIsTheCheckpoint, good, { views })).toEqual({
      checked: 2,
      violations: [`order-summary never saw ${order}`],
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
    expect(await found(rebuildsAreEqual, good)).toEqual({ checked: 1, violations: [] });
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
