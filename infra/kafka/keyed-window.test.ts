import { setImmediate as tick } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openKeyedWindow, type KeyedWindow, type RecordWork, type WindowLimits } from './keyed-window.ts';
import type { IncomingRecord, RecordBatch } from './port.ts';

const roomy: WindowLimits = { pendingMax: 100, bytesMax: 1_000_000, spanMax: 1_000 };
const partition = { topic: 't', partition: 0 };

function record(offset: number, key: string | null, size = 1): IncomingRecord {
  const value = Buffer.alloc(size);
  return {
    ...partition,
    offset,
    key: key === null ? null : Buffer.from(key),
    value,
    timestampMs: offset,
    headers: {},
  };
}

function batch(records: readonly IncomingRecord[], lost = new AbortController().signal): RecordBatch {
  const nextOffset = (records.at(-1)?.offset ?? -1) + 1;
  return { ...partition, records, nextOffset, endOffset: nextOffset, lost, seek: () => undefined };
}

/** Work that ends when the test says so. */
function controlled(limits: Partial<WindowLimits> = {}) {
  const running = new Map<number, () => void>();
  const order: number[] = [];
  const work: RecordWork = ({ offset }) =>
    new Promise((resolve) => {
      order.push(offset);
      running.set(offset, () => {
        running.delete(offset);
        resolve();
      });
    });
  const window = openKeyedWindow(work, { ...roomy, ...limits });
  return {
    window,
    order,
    running: () => [...running.keys()],
    end: async (offset: number) => {
      running.get(offset)?.();
      await tick();
    },
  };
}

const settled = (window: KeyedWindow, nextOffset: number): number => window.settledTo(partition, nextOffset);

describe('a window over a partition', () => {
  it('works on all keys at once, and on those of one key in their order', async () => {
    const { window, running, end, order } = controlled();
    await window.admit(batch([record(0, 'a'), record(1, 'b'), record(2, 'a'), record(3, null), record(4, null)]));
    await tick();
    expect(running()).toEqual([0, 1, 3, 4]);
    await end(0);
    expect(running()).toEqual([1, 3, 4, 2]);
    expect(order).toEqual([0, 1, 3, 4, 2]);
  });

  it('keeps the order of a key over batches', async () => {
    const { window, running, end } = controlled();
    const lost = new AbortController().signal;
    await window.admit(batch([record(0, 'a')], lost));
    await window.admit(batch([record(1, 'a')], lost));
    await tick();
    expect(running()).toEqual([0]);
    await end(0);
    expect(running()).toEqual([1]);
  });

  it('lets no offset pass a record at work', async () => {
    const { window, end } = controlled();
    await window.admit(batch([record(10, 'a'), record(11, 'b'), record(12, 'c')]));
    await tick();
    expect(settled(window, 13)).toBe(10);
    await end(11);
    expect(settled(window, 13)).toBe(10);
    await end(10);
    expect(settled(window, 13)).toBe(12);
    await end(12);
    expect(settled(window, 13)).toBe(13);
    await window.idle();
    expect(window.status()).toEqual({ pending: 0, oldestTimestampMs: null });
  });

  it.each([
    ['records', { pendingMax: 2 }, 1],
    ['bytes', { bytesMax: 20 }, 10],
    ['span', { spanMax: 2 }, 1],
  ] as const)('takes no more than its bound of %s', async (_what, limits, size) => {
    const { window, running, end } = controlled(limits);
    let isAdmitted = false;
    const records = [record(0, 'a', size), record(1, 'b', size), record(2, 'c', size)];
    const admitting = window.admit(batch(records)).then(() => (isAdmitted = true));
    await tick();
    expect(running()).toEqual([0, 1]);
    expect(isAdmitted).toBe(false);
    await end(0);
    await admitting;
    await tick();
    expect(running()).toEqual([1, 2]);
  });

  it('takes a record alone that is larger than its bound of bytes', async () => {
    const { window, running } = controlled({ bytesMax: 20 });
    await window.admit(batch([record(0, 'a', 50)]));
    await tick();
    expect(running()).toEqual([0]);
  });

  it('hurries whoever lingers where there is no room, and lets others rest', async () => {
    const seen: string[] = [];
    const work: RecordWork = async ({ offset }, turn) => {
      if (offset === 0) await turn.rest(50);
      while (offset === 1 && !turn.isHurried()) await turn.linger(60_000);
      seen.push(`${offset}`);
    };
    const window = openKeyedWindow(work, { ...roomy, pendingMax: 2 });
    await window.admit(batch([record(0, 'a'), record(1, 'b'), record(2, 'c'), record(3, 'd')]));
    await window.idle();
    expect(seen).toEqual(['1', '2', '3', '0']);
  });

  it('forgets a partition that was taken away, and begins it anew', async () => {
    const seen: number[] = [];
    const control = new AbortController();
    const work: RecordWork = async ({ offset }, turn) => {
      while (offset === 0 && !turn.isLost() && !control.signal.aborted) await turn.rest(60_000);
      seen.push(offset);
    };
    const window = openKeyedWindow(work, { ...roomy, pendingMax: 2 });
    const admitting = window.admit(batch([record(0, 'a'), record(1, 'a'), record(2, 'b')], control.signal));
    await tick();
    control.abort();
    await admitting;
    await window.idle();
    expect(seen).toEqual([0]);
    await window.admit(batch([record(0, 'a'), record(1, 'a')]));
    await window.idle();
    expect(seen).toEqual([0, 0, 1]);
    expect(settled(window, 2)).toBe(2);
  });

  it('ends with the bug of a piece of work', async () => {
    const window = openKeyedWindow(() => Promise.reject(new Error('planted')), roomy);
    await window.admit(batch([record(0, 'a')]));
    await window.idle();
    await expect(window.admit(batch([record(1, 'b')]))).rejects.toThrow('planted');
  });

  it('settles every record once, in the order of its key, whatever takes how long', async () => {
    const items = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', null), ticks: fc.nat(3) }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 5 }), async (all, pendingMax) => {
        const done: number[] = [];
        let [running, most] = [0, 0];
        const window: KeyedWindow = openKeyedWindow(
          async ({ offset }) => {
            running += 1;
            most = Math.max(most, running);
            for (let left = all[offset]?.ticks ?? 0; left > 0; left -= 1) await tick();
            expect(settled(window, all.length)).toBeLessThanOrEqual(offset);
            done.push(offset);
            running -= 1;
          },
          { ...roomy, pendingMax },
        );
        await window.admit(batch(all.map(({ key }, offset) => record(offset, key))));
        await window.idle();
        expect(most).toBeLessThanOrEqual(pendingMax);
        expect([...done].sort((a, b) => a - b)).toEqual([...all.keys()]);
        for (const key of ['a', 'b', 'c']) {
          const ofKey = done.filter((offset) => all[offset]?.key === key);
          expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
        }
      }),
    );
  });
});
