import { randomUUID } from 'node:crypto';
import { asRecord, openApi, problemOf, type Api } from './api.ts';
import { CommandFailure, exitCodes } from './failure.ts';
import { findUrl } from './running-system.ts';
import { toTable } from './terminal.ts';
import type { VerbContext } from './verb.ts';

export type ParkingOptions = {
  readonly url?: string;
  readonly projection?: string;
  readonly fingerprint?: string;
  readonly order?: string;
  readonly json?: boolean;
};
export type DiscardOptions = ParkingOptions & { readonly yes?: boolean };

type Parked = {
  readonly projection: string;
  readonly stream: string;
  readonly state: string;
  readonly error: string;
  readonly firstRevision: number;
  readonly events: number;
  readonly since: string;
  readonly attempts: number;
};
type Group = Omit<Parked, 'stream' | 'firstRevision' | 'attempts'> & {
  readonly fingerprint: string;
  readonly orders: number;
  readonly example: string;
};
type Page = {
  readonly groups: readonly Group[];
  readonly items: readonly Parked[];
  readonly nextCursor: string | null;
};
type Acted = {
  readonly items: readonly (Pick<Parked, 'projection' | 'stream'> & { readonly outcome: string })[];
  readonly nextCursor: string | null;
};
type Shown = {
  readonly parked: Parked;
  readonly items: readonly { readonly revision: number; readonly type: string; readonly eventId: string }[];
};

const pageMax = 200;
/** Streams of one drain request: progress is told after each. */
const actMax = 25;

/** Groups by error; with a filter also their streams. */
export async function listParking(context: VerbContext, options: ParkingOptions): Promise<number> {
  const { terminal } = context;
  const api = await openAdmin(context, options);
  const items: Parked[] = [];
  let page: Page;
  let cursor: string | null = null;
  do {
    page = (await ask(api, `/v1/admin/parking?${query({ ...selectionOf(options), limit: pageMax, cursor })}`)) as Page;
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  if (options.json === true) terminal.print(JSON.stringify({ groups: page.groups, items }, null, 2));
  else if (page.groups.length === 0) terminal.print('nothing is parked');
  else {
    terminal.print(toTable([groupHead, ...page.groups.map(groupRow)]));
    if (Object.keys(selectionOf(options)).length > 0)
      terminal.print(`\n${toTable([streamHead, ...items.map(streamRow)])}`);
  }
  return exitCodes.done;
}

/** Each projection that parked the order or its fulfillment, with the events that wait. */
export async function showParking(context: VerbContext, order: string, options: ParkingOptions): Promise<number> {
  const { terminal } = context;
  const api = await openAdmin(context, options);
  const path = `/v1/admin/parking?${query({ ...selectionOf(options), orderId: order, limit: pageMax })}`;
  const { items } = (await ask(api, path)) as Page;
  if (items.length === 0) throw new CommandFailure(`nothing of order ${order} is parked`);
  const places = items.map(({ projection, stream }) => `${projection}/${encodeURIComponent(stream)}`);
  const shown = (await Promise.all(places.map((place) => ask(api, `/v1/admin/parking/${place}`)))) as Shown[];
  if (options.json === true) terminal.print(JSON.stringify(shown, null, 2));
  else
    for (const each of shown)
      terminal.print(`${toTable(Object.entries(each.parked).map(toField))}\n${eventsOf(each)}\n`);
  return exitCodes.done;
}

/** Exit 1 where something still cannot be folded. */
export async function drainParking(context: VerbContext, options: ParkingOptions): Promise<number> {
  const { outcomes, items } = await act(context, options, 'drain');
  tell(context, options, { items, summary: `${outcomes.drained ?? 0} drained, ${outcomes.parked ?? 0} still parked` });
  return (outcomes.parked ?? 0) > 0 ? exitCodes.failed : exitCodes.done;
}

/** Without --yes, or without saying what: exit 2, and nothing is done. */
export async function discardParking(context: VerbContext, options: DiscardOptions): Promise<number> {
  if (options.yes !== true) return misused(context, 'discard gives events up for their views: repeat it with --yes');
  if (Object.keys(selectionOf(options)).length === 0) {
    return misused(context, 'say what to discard: --order, --projection or --fingerprint');
  }
  const { outcomes, items } = await act(context, options, 'discard');
  tell(context, options, { items, summary: `${outcomes.discarded ?? 0} discarded` });
  return exitCodes.done;
}

function misused({ terminal }: VerbContext, message: string): number {
  terminal.note(`order-center: error: ${message}`);
  return exitCodes.usage;
}

type Done = { readonly items: Acted['items']; readonly outcomes: Readonly<Record<string, number>> };

async function act(context: VerbContext, options: ParkingOptions, verb: 'drain' | 'discard'): Promise<Done> {
  const api = await openAdmin(context, options);
  const items: Acted['items'][number][] = [];
  let cursor: string | null = null;
  do {
    const body = { ...selectionOf(options), limit: actMax, ...(cursor === null ? {} : { cursor }) };
    const page = (await ask(api, `/v1/admin/parking/${verb}`, { key: randomUUID(), body })) as Acted;
    items.push(...page.items);
    cursor = page.nextCursor;
    context.terminal.progress(`${items.length} streams`);
  } while (cursor !== null);
  context.terminal.progress('');
  const outcomes: Record<string, number> = {};
  for (const { outcome } of items) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return { items, outcomes };
}

type Told = { readonly items: Acted['items']; readonly summary: string };

function tell({ terminal }: VerbContext, { json }: ParkingOptions, { items, summary }: Told): void {
  if (json === true) {
    terminal.print(JSON.stringify({ items }, null, 2));
    return;
  }
  if (items.length > 0)
    terminal.print(toTable(items.map(({ projection, stream, outcome }) => [projection, stream, outcome])));
  terminal.print(summary);
}

async function openAdmin({ env, signal }: VerbContext, { url }: ParkingOptions): Promise<Api> {
  return openApi({ url: await findUrl(env, url), tenantId: 'default', signal, attemptsMax: 3 });
}

type Post = { readonly key: string; readonly body: unknown };

async function ask(api: Api, path: string, post?: Post): Promise<unknown> {
  const answer = await api.call(post === undefined ? { path } : { path, post });
  if (answer.status !== 200) throw new CommandFailure(problemOf(answer));
  return asRecord(answer.body);
}

function selectionOf({ projection, fingerprint, order }: ParkingOptions): Readonly<Record<string, string>> {
  return {
    ...(projection === undefined ? {} : { projection }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(order === undefined ? {} : { orderId: order }),
  };
}

function query(parameters: Readonly<Record<string, string | number | null>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== null);
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
}

const groupHead = ['projection', 'fingerprint', 'state', 'orders', 'events', 'since', 'error'];

function groupRow({
  projection,
  fingerprint,
  state,
  orders,
  events,
  since,
  error,
}: Group): readonly (string | number)[] {
  return [projection, fingerprint, state, orders, events, since, error];
}

const streamHead = ['projection', 'stream', 'state', 'from', 'events', 'attempts', 'since'];

function streamRow(parked: Parked): readonly (string | number)[] {
  const { projection, stream, state, firstRevision, events, attempts, since } = parked;
  return [projection, stream, state, firstRevision, events, attempts, since];
}

function toField([name, value]: readonly [string, unknown]): readonly string[] {
  return [name, String(value)];
}

function eventsOf({ items }: Shown): string {
  return toTable(items.map(({ revision, type, eventId }) => [revision, type, eventId]));
}
