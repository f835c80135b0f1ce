import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';
import type { StreamName } from '../../../schemas/ids.ts';
import { eventsOf, eventsUpTo, type Log } from './log.ts';

/** The last revision of each stream, as it was at any place of the log. */
export type StreamHeads = {
  /** Shown every event in the log's order. */
  readonly see: (event: RecordedEvent) => void;
  readonly isEmpty: () => boolean;
  readonly streams: () => Iterable<StreamName>;
  /** -1 for a stream that had not begun. A place after what was seen is read on to; `end` to where the log ends. */
  readonly at: (log: Log, place: Position | null | 'end') => Promise<(stream: StreamName) => number>;
};

export function openStreamHeads(): StreamHeads {
  const heads = new Map<StreamName, number>();
  let last: Position | null = null;
  const see = ({ stream, revision, position }: RecordedEvent): void => {
    heads.set(stream, revision);
    last = position;
  };
  const headOf = (stream: StreamName): number => heads.get(stream) ?? -1;

  /** The first revision of each stream after a place: usually few. */
  const firstAfter = async (log: Log, place: Position | null): Promise<ReadonlyMap<StreamName, number>> => {
    const first = new Map<StreamName, number>();
    for await (const { stream, revision } of eventsOf(log, place)) {
      if (!first.has(stream)) first.set(stream, revision);
    }
    return first;
  };
  return {
    see,
    isEmpty: () => heads.size === 0,
    streams: () => heads.keys(),
    at: async (log, place) => {
      if (place === 'end') {
        for await (const event of eventsOf(log, last)) see(event);
        return (stream) => headOf(stream);
      }
      const isBefore = last !== null && (place === null || log.store.comparePositions(place, last) < 0);
      if (!isBefore) {
        for await (const event of eventsUpTo(log, { after: last, to: place })) see(event);
        return (stream) => headOf(stream);
      }
      const first = await firstAfter(log, place);
      return (stream) => {
        const next = first.get(stream);
        return next === undefined ? headOf(stream) : next - 1;
      };
    },
  };
}
