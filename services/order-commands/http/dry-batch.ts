import { canonicalJson } from '../../../schemas/canonical-json.ts';
import type { OrderInput } from '../../../schemas/commands.ts';
import { errorRow } from '../../../schemas/error-codes.ts';
import type { CommandId } from '../../../schemas/ids.ts';
import { replayOf, type OrderResult } from './send-order.ts';

type DryItem = { readonly commandId: CommandId; readonly order: OrderInput; readonly result: OrderResult };

/**
 * Items of a dry batch are tried one by one, each as if it were alone. In a real batch the earlier ones are there when a
 * later one is decided: its command id is a replay or reused, its reference taken.
 */
export function afterEachOther(items: readonly DryItem[]): readonly DryItem[] {
  const firsts = new Map<CommandId, DryItem>();
  const references = new Set<string>();
  return items.map((item) => {
    // What would not last leaves nothing for a later one to meet.
    if (!lasts(item.result)) return item;
    const first = firsts.get(item.commandId);
    if (first !== undefined) return { ...item, result: again(first, item.order) };
    const answered = { ...item, result: referenceTaken(item, references) ?? item.result };
    firsts.set(item.commandId, answered);
    if (answered.result.kind === 'order' && item.order.reference !== undefined) references.add(item.order.reference);
    return answered;
  });
}

function lasts(result: OrderResult): boolean {
  return result.kind === 'order' || errorRow(result.code).durable === true;
}

function again({ order: first, result }: DryItem, order: OrderInput): OrderResult {
  return canonicalJson(first) === canonicalJson(order)
    ? replayOf(result)
    : { kind: 'problem', code: 'IDEMPOTENCY_KEY_REUSED', parts: {}, replayed: false };
}

function referenceTaken({ order, result }: DryItem, taken: ReadonlySet<string>): OrderResult | null {
  const { reference } = order;
  if (result.kind !== 'order' || result.replayed || reference === undefined || !taken.has(reference)) return null;
  const parts = { detail: `reference:${reference} is taken` };
  return { kind: 'problem', code: 'REFERENCE_TAKEN', parts, replayed: false };
}
