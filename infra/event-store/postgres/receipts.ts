import type pg from 'pg';
import type { Rejection } from '../../../schemas/decision.ts';
import type { CommandId, StreamName, TenantId } from '../../../schemas/ids.ts';
import type { AnswerResult, AppendResult, CommandReceipt, RehearsalResult } from '../port.ts';
import type { AppendRow } from './append-statement.ts';
import { ask } from '../../postgres/connection.ts';
import { appendedEvents, eventColumns, recordedOf, type EventRow } from './rows.ts';

type ReceiptRow = {
  readonly tenant: string;
  readonly command_id: string;
  readonly command_hash: Buffer;
  readonly stream: string;
  readonly version: number;
  readonly rejection: Rejection | null;
};

/** The event row is the receipt; the answers table holds the rest. Events win: they are the effect. */
const receiptsOf = `
  select c.tenant, c.command_id, e.command_hash, e.stream, null::jsonb as rejection, 0 as precedence,
    (select max(l.revision) + 1 from order_center.events l where l.tenant = c.tenant and l.command_id = c.command_id) as version
  from unnest($1::text[], $2::text[]) as c (tenant, command_id)
  join order_center.events e on e.tenant = c.tenant and e.command_id = c.command_id and e.n = 0
  union all
  select c.tenant, c.command_id, a.command_hash, a.stream, a.rejection, 1, a.version
  from unnest($1::text[], $2::text[]) as c (tenant, command_id)
  join order_center.answers a on a.tenant = c.tenant and a.command_id = c.command_id
  order by precedence desc`;

type CommandKey = { readonly tenantId: TenantId; readonly commandId: CommandId };

export async function findReceipt(pool: pg.Pool, key: CommandKey): Promise<CommandReceipt | null> {
  const receipts = await findReceipts(pool, [key]);
  return receipts.get(`${key.tenantId}/${key.commandId}`) ?? null;
}

/** By `<tenant>/<commandId>`. */
async function findReceipts(pool: pg.Pool, keys: readonly CommandKey[]): Promise<ReadonlyMap<string, CommandReceipt>> {
  const values = [keys.map(({ tenantId }) => tenantId), keys.map(({ commandId }) => commandId)];
  const rows = await ask<ReceiptRow>(pool, { name: 'receipts', text: receiptsOf, values });
  return new Map(rows.map((row) => [`${row.tenant}/${row.command_id}`, receiptOf(row)]));
}

function receiptOf(row: ReceiptRow): CommandReceipt {
  return {
    tenantId: row.tenant as TenantId,
    commandId: row.command_id as CommandId,
    commandHash: row.command_hash.toString('hex'),
    stream: row.stream as StreamName,
    version: row.version,
    rejection: row.rejection,
  };
}

/** Stores an answer that made no events, if the stream's head is still the one decided on and the command has no other answer. */
export async function recordAnswer(pool: pg.Pool, receipt: CommandReceipt, expected: number): Promise<AnswerResult> {
  const { tenantId, commandId, commandHash, stream, version, rejection } = receipt;
  const recorded = await ask(pool, {
    name: 'record-answer',
    text: `insert into order_center.answers (tenant, command_id, command_hash, stream, version, rejection)
      select $1, $2, $3, $4, $5::bigint, $6::jsonb
      where coalesce((select max(revision) from order_center.events where stream = $4), -1) = $7::bigint
        and not exists (select from order_center.events where tenant = $1 and command_id = $2)
      on conflict (tenant, command_id) do nothing
      returning true as recorded`,
    values: [
      tenantId,
      commandId,
      Buffer.from(commandHash, 'hex'),
      stream,
      version,
      rejection === null ? null : JSON.stringify(rejection),
      expected,
    ],
  });
  if (recorded.length > 0) return { outcome: 'recorded' };
  const known = (await findReceipts(pool, [receipt])).get(`${tenantId}/${commandId}`);
  return known === undefined ? { outcome: 'stale' } : { outcome: 'known', receipt: known };
}

/**
 * Tells for each row of a failed batch why it may have failed: it was ours and is stored (the answer was lost), its
 * command is known, its claim is held, its stream has another head. Undefined: nothing speaks against it. Three
 * queries for the whole batch, where bisecting 25 stale rows of 500 took 230 statements (measured).
 */
export async function sift(
  pool: pg.Pool,
  epoch: string,
  rows: readonly AppendRow[],
): Promise<readonly (AppendResult | undefined)[]> {
  const appends = rows.map(({ append }) => append);
  // Receipts last: an own append that is stored between the questions must be found, not be called stale.
  const [heads, claims] = await Promise.all([findHeads(pool, rows), findClaims(pool, rows)]);
  const receipts = await findReceipts(pool, appends);
  return Promise.all(
    appends.map(async (append): Promise<AppendResult | undefined> => {
      const receipt = receipts.get(`${append.tenantId}/${append.commandId}`);
      if (receipt !== undefined) return (await ownAppend(pool, epoch, append)) ?? { outcome: 'known', receipt };
      if ((heads.get(append.stream) ?? -1) !== (append.expected === 'none' ? -1 : append.expected))
        return { outcome: 'stale' };
      return append.claim !== undefined && claims.has(`${append.tenantId}/${append.claim}`)
        ? { outcome: 'claimed' }
        : undefined;
    }),
  );
}

/** What an append would be answered with now; the questions of `sift`, of one row that was never sent. */
export async function rehearse(pool: pg.Pool, epoch: string, row: AppendRow): Promise<RehearsalResult> {
  const [found] = await sift(pool, epoch, [row]);
  if (found === undefined) return { outcome: 'appendable' };
  if (found.outcome === 'appended') throw new Error('an append was rehearsed after it was stored');
  return found;
}

async function ownAppend(pool: pg.Pool, epoch: string, append: AppendRow['append']): Promise<AppendResult | undefined> {
  const rows = await ask<EventRow>(pool, {
    name: 'own-append',
    text: `select ${eventColumns} from order_center.events where tenant = $1 and command_id = $2 order by n`,
    values: [append.tenantId, append.commandId],
  });
  return rows[0]?.event_id === append.events[0]?.eventId
    ? appendedEvents(rows.map((row) => recordedOf(epoch, row)))
    : undefined;
}

async function findHeads(pool: pg.Pool, rows: readonly AppendRow[]): Promise<ReadonlyMap<string, number>> {
  const found = await ask<{ stream: string; head: number }>(pool, {
    name: 'heads',
    text: `select s.stream, (select max(revision) from order_center.events e where e.stream = s.stream) as head
      from unnest($1::text[]) as s (stream)`,
    values: [rows.map(({ append }) => append.stream)],
  });
  return new Map(
    found
      .map(({ stream, head }) => [stream, head as number | null])
      .filter((entry): entry is [string, number] => entry[1] !== null),
  );
}

async function findClaims(pool: pg.Pool, rows: readonly AppendRow[]): Promise<ReadonlySet<string>> {
  const claiming = rows.filter(({ append }) => append.claim !== undefined);
  if (claiming.length === 0) return new Set();
  const found = await ask<{ tenant: string; claim: string }>(pool, {
    name: 'claims',
    text: `select e.tenant, e.claim from unnest($1::text[], $2::text[]) as c (tenant, claim)
      join order_center.events e on e.tenant = c.tenant and e.claim = c.claim where e.claim is not null`,
    values: [claiming.map(({ append }) => append.tenantId), claiming.map(({ append }) => append.claim)],
  });
  return new Set(found.map(({ tenant, claim }) => `${tenant}/${claim}`));
}
