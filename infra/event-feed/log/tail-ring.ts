import { categoryOf } from '../../../schemas/ids.ts';
import type { LogPage, LogQuery, Position, RecordedEvent } from '../../event-store/port.ts';

/** What a follower of the log asks for: no filter but categories. */
export type TailQuery = Pick<LogQuery, 'after' | 'categories' | 'limit'>;

/** The last events of the log, end to end: nothing between two of them is missing. */
export type TailRing = {
  /** The position after which the next page must begin; null while nothing is known. */
  end(): Position | null;
  /** Begins the ring, empty, behind a position at the log's end. */
  begin(anchor: Position): void;
  /** Joins the page that was read after `end`. */
  join(page: LogPage): void;
  /** 'inside': events after the position are here; 'end': it is the last one known; 'outside': the store must be asked. */
  find(position: Position | null): 'inside' | 'end' | 'outside';
  /** Events after a position that is not outside. */
  page(query: TailQuery): LogPage;
};

export function tailRing(eventsMax: number): TailRing {
  const kept: RecordedEvent[] = [];
  /** Of each kept event, and of the position that the first one follows. Oldest first. */
  const places = new Map<Position, number>();
  let firstPlace = 0;
  let end: Position | null = null;
  let endsLog = true;

  const dropOldest = (excess: number): void => {
    for (const [position, place] of places) {
      // The last one dropped stays as the place that the first kept event follows.
      if (place >= firstPlace + excess - 1) break;
      places.delete(position);
    }
    firstPlace += kept.splice(0, excess).length;
  };

  return {
    end: () => end,
    begin: (anchor) => {
      kept.length = 0;
      places.clear();
      places.set(anchor, firstPlace - 1);
      end = anchor;
    },
    join: ({ events, checkpoint, atEnd }) => {
      for (const event of events) {
        places.set(event.position, firstPlace + kept.length);
        kept.push(event);
      }
      end = checkpoint;
      endsLog = atEnd;
      if (kept.length > eventsMax) dropOldest(kept.length - eventsMax);
    },
    find: (position) => {
      const place = position === null ? undefined : places.get(position);
      if (place === undefined) return 'outside';
      return place === firstPlace + kept.length - 1 ? 'end' : 'inside';
    },
    page: ({ after, categories, limit }) => {
      const place = after === null ? undefined : places.get(after);
      if (place === undefined) throw new Error('a page from outside the ring');
      const events: RecordedEvent[] = [];
      let checkpoint = after;
      let at = place + 1 - firstPlace;
      for (let event = kept[at]; event !== undefined && events.length < limit; event = kept[at]) {
        if (categories?.includes(categoryOf(event.stream)) !== false) events.push(event);
        checkpoint = event.position;
        at += 1;
      }
      return { events, checkpoint, atEnd: at >= kept.length && endsLog };
    },
  };
}
