import type { CommandId, TenantId } from '../../schemas/ids.ts';
import { within } from '../within.ts';

export type Twin<Answer> =
  | { readonly kind: 'first'; readonly answer: Answer }
  | { readonly kind: 'twin'; readonly answer: Answer }
  | { readonly kind: 'other-payload' }
  | { readonly kind: 'still-running' };

/**
 * Commands of this process that have no answer yet. A twin (same id, same payload) waits for the first one's answer,
 * at most `twinWaitMs`; the store's keys do the same across processes.
 */
export type InFlight<Answer> = {
  run(
    id: { tenantId: TenantId; commandId: CommandId; hash: string },
    work: () => Promise<Answer>,
  ): Promise<Twin<Answer>>;
};

export function inFlight<Answer>(twinWaitMs: number): InFlight<Answer> {
  const running = new Map<string, { readonly hash: string; readonly answer: Promise<Answer> }>();
  return {
    run: async ({ tenantId, commandId, hash }, work) => {
      const key = `${tenantId}/${commandId}`;
      const first = running.get(key);
      if (first === undefined) {
        const answer = work();
        running.set(key, { hash, answer });
        try {
          return { kind: 'first', answer: await answer };
        } finally {
          running.delete(key);
        }
      }
      if (first.hash !== hash) return { kind: 'other-payload' };
      const answer = await within(twinWaitMs, first.answer);
      return answer === null ? { kind: 'still-running' } : { kind: 'twin', answer };
    },
  };
}
