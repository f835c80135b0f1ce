import { expect, it } from 'vitest';
import type { OperationalFailure } from '../../infra/failures.ts';
import { anOrderId, appendAll, placement } from '../../projections/examples.ts';
import { parkedPerMinuteMax } from '../../infra/read-store/parking-limit.ts';
import { describeOnReadStores, openWorld, type OpenReadStore } from './test-parking-world.ts';
import { deliver, feedOf } from './test-poison.ts';

function limitSuite(open: OpenReadStore): void {
  it('stops, and parks no one, where more than the stated number would be parked in a minute; goes on by itself after the fix', async () => {
    const world = await openWorld(await open());
    const ids = Array.from({ length: parkedPerMinuteMax + 1 }, (_, index) => anOrderId(`bad-${index}`));
    const events = await appendAll(world.store, [...ids.map((id) => placement(id)), placement(anOrderId('good'))]);
    for (const { eventId } of events.slice(0, -1)) world.poison.set(eventId, 'changes');
    const codes: string[] = [];
    const observe = {
      onFailure: ({ failure }: { failure: OperationalFailure }) => {
        codes.push(failure.code);
        if (codes.length === 2) world.poison.clear();
      },
    };
    await world.run({ feed: feedOf([deliver('1', ...events)]), observe });
    expect(codes).toEqual(['PARKING_THRESHOLD', 'PARKING_THRESHOLD']);
    expect(await world.desk.groups()).toEqual([]);
    expect(await world.view(events)).toEqual(world.foldOf(events));
  });

  it('counts the minute by what is parked, so that a restart does not begin anew, and ends it after a minute', async () => {
    const world = await openWorld(await open());
    const ids = Array.from({ length: 2 * parkedPerMinuteMax }, (_, index) => anOrderId(`bad-${index}`));
    const events = await appendAll(world.store, ids.map((id) => placement(id))); // prettier-ignore
    for (const { eventId } of events) world.poison.set(eventId, 'update');
    const feed = feedOf([
      deliver('1', ...events.slice(0, parkedPerMinuteMax)),
      deliver('2', ...events.slice(parkedPerMinuteMax)),
    ]);
    const start = Date.UTC(2026, 0, 1);
    const stop = new AbortController();
    const observe = { onFailure: () => stop.abort() };
    const parked = async (): Promise<number | undefined> => (await world.desk.groups())[0]?.streams;
    await world.run({ feed, now: () => start, signal: stop.signal, observe });
    expect(await parked()).toBe(parkedPerMinuteMax);
    await world.run({ feed, now: () => start + 59_000, signal: stop.signal, observe });
    expect(await parked()).toBe(parkedPerMinuteMax);
    await world.run({ feed, now: () => start + 60_000 });
    expect(await parked()).toBe(2 * parkedPerMinuteMax);
  });
}

describeOnReadStores('the limit of parking', { all: limitSuite });
