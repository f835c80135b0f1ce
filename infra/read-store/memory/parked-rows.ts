import type { StreamName } from '../../../schemas/ids.ts';
import type {
  ListedStream,
  ParkedEvent,
  ParkedFilter,
  ParkedGroup,
  ParkedPage,
  ParkedStream,
  Parking,
} from '../parking.ts';
import { compareText } from './rows.ts';

type Place = Pick<ParkedStream, 'consumer' | 'stream'>;
type Row = { readonly parked: ParkedStream; readonly events: readonly ParkedEvent[] };

export type ParkedRows = {
  get(consumer: string, stream: StreamName): ParkedStream | null;
  streams(consumer: string): readonly ParkedStream[];
  events(consumer: string, stream: StreamName): readonly ParkedEvent[];
  groups(): readonly ParkedGroup[];
  list(page: ParkedPage): readonly ListedStream[];
  save(consumer: string, parking: Parking): void;
  mended(consumer: string, stream: StreamName, parked: ParkedStream | null): void;
  forget(consumer: string): void;
  forgetAll(): void;
};

export function openParkedRows(): ParkedRows {
  const rows = new Map<string, Row>();
  const get = (consumer: string, stream: StreamName): Row | undefined => rows.get(placeOf({ consumer, stream }));
  const put = (parked: ParkedStream, events: readonly ParkedEvent[]): void => {
    const since = get(parked.consumer, parked.stream)?.parked.since ?? parked.since;
    rows.set(placeOf(parked), { parked: { ...parked, since }, events });
  };
  return {
    get: (consumer, stream) => get(consumer, stream)?.parked ?? null,
    streams: (consumer) => [...rows.values()].flatMap(({ parked }) => (parked.consumer === consumer ? [parked] : [])),
    events: (consumer, stream) => get(consumer, stream)?.events ?? [],
    groups: () => groupsOf([...rows.values()]),
    list: ({ filter, after, limit }) =>
      [...rows.values()]
        .filter(({ parked }) => passes(parked, filter) && (after === undefined || compare(parked, after) > 0))
        .map(({ parked, events }) => ({ ...parked, events: events.length }))
        .sort(compare)
        .slice(0, limit),
    save: (consumer, { streams, events }) => {
      for (const parked of streams) put(parked, get(consumer, parked.stream)?.events ?? []);
      for (const event of events) {
        const row = get(consumer, event.stream);
        if (row !== undefined) put(row.parked, withEvent(row.events, event));
      }
    },
    mended: (consumer, stream, parked) => {
      const events = get(consumer, stream)?.events ?? [];
      if (parked === null) rows.delete(placeOf({ consumer, stream }));
      else if (parked.state === 'discarded') put(parked, []);
      else put(parked, events.filter(({ revision }) => revision >= parked.firstRevision)); // prettier-ignore
    },
    forget: (consumer) => {
      for (const [place, { parked }] of rows) if (parked.consumer === consumer) rows.delete(place);
    },
    forgetAll: () => rows.clear(),
  };
}

function placeOf({ consumer, stream }: Place): string {
  return `${consumer}\n${stream}`;
}

function compare(a: Place, b: Place): number {
  return compareText(a.consumer, b.consumer) || compareText(a.stream, b.stream);
}

function passes(parked: ParkedStream, { consumer, fingerprint, streams, state }: ParkedFilter): boolean {
  return (
    (consumer === undefined || parked.consumer === consumer) &&
    (fingerprint === undefined || parked.fingerprint === fingerprint) &&
    (streams === undefined || streams.includes(parked.stream)) &&
    (state === undefined || parked.state === state)
  );
}

function withEvent(events: readonly ParkedEvent[], event: ParkedEvent): readonly ParkedEvent[] {
  if (events.some(({ revision, eventId }) => revision === event.revision && eventId === event.eventId)) return events;
  return [...events, event].sort((a, b) => a.revision - b.revision);
}

function groupsOf(rows: readonly Row[]): readonly ParkedGroup[] {
  const grouped = Map.groupBy(rows, ({ parked }) => `${parked.consumer}\n${parked.fingerprint}\n${parked.state}`);
  return [...grouped]
    .flatMap(([place, members]) => {
      const [first] = members;
      if (first === undefined) return [];
      const { consumer, fingerprint, state } = first.parked;
      const group: ParkedGroup = {
        ...{ consumer, fingerprint, state },
        error: least(members.map(({ parked }) => parked.error)),
        since: least(members.map(({ parked }) => parked.since)),
        example: least(members.map(({ parked }) => parked.stream)),
        streams: members.length,
        events: members.reduce((sum, { events }) => sum + events.length, 0),
      };
      return [{ place, group }];
    })
    .sort((a, b) => b.group.streams - a.group.streams || compareText(a.place, b.place))
    .map(({ group }) => group);
}

function least<Text extends string>(texts: readonly Text[]): Text {
  return texts.reduce((smallest, text) => (text < smallest ? text : smallest));
}
