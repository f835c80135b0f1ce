import { expect, it } from 'vitest';
import type { FenceHold } from '../event-store/port.ts';
import { openMetrics } from './open.ts';
import { watchStore } from './store-metrics.ts';

async function scraped(fenceHold: () => Promise<FenceHold | null>): Promise<readonly string[]> {
  const metrics = openMetrics();
  watchStore(metrics, { status: () => ({ queued: 7 }), fenceHold });
  return (await metrics.text()).split('\n').filter((line) => /^(append_fence|queue_depth)/.test(line));
}

const queue = 'queue_depth{queue="appends"} 7';
const hold = { pid: 42, application: 'a forgotten psql', user: 'order_center_append' };

it('shows that nothing holds the fence', async () => {
  expect(await scraped(() => Promise.resolve(null))).toEqual([queue, 'append_fence_held_seconds 0']);
});

it('shows for how long an append holds the fence, and names its session only when that is long', async () => {
  expect(await scraped(() => Promise.resolve({ ...hold, heldMs: 20 }))).toEqual([
    queue,
    'append_fence_held_seconds 0.02',
  ]);
  expect(await scraped(() => Promise.resolve({ ...hold, heldMs: 6_500 }))).toEqual([
    queue,
    'append_fence_held_seconds 6.5',
    'append_fence_holder_seconds{pid="42",application="a forgotten psql",user="order_center_append"} 6.5',
  ]);
});

it('shows nothing of the fence while the store does not answer', async () => {
  expect(await scraped(() => Promise.reject(new Error('down')))).toEqual([queue]);
});
