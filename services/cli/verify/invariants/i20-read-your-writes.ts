import { orderIdOfStream, type OrderId, type TenantId } from '../../../../schemas/ids.ts';
import { noViolations, type Invariant } from '../invariant.ts';

/** The last orders of the log that changed: those that a view may not have reached yet. */
const ordersMax = 1_000;
const readsAtOnce = 16;

export const readYourWrites: Invariant = {
  id: 'I20',
  statement:
    'A read with minVersion answers that version or a newer one, or says that it cannot yet; never an older one.',
  check: ({ readAtLeast, signal }) => {
    const latest = new Map<OrderId, { readonly tenantId: TenantId; readonly version: number }>();
    return {
      see: ({ stream, tenantId, revision }) => {
        const orderId = orderIdOfStream(stream);
        if (orderId === null || readAtLeast === null || !stream.startsWith('order-')) return;
        latest.delete(orderId);
        latest.set(orderId, { tenantId, version: revision + 1 });
        const [oldest] = latest.keys();
        if (latest.size > ordersMax && oldest !== undefined) latest.delete(oldest);
      },
      finish: async () => {
        if (readAtLeast === null) return { notChecked: 'nothing runs whose door could be asked' };
        const violations = noViolations();
        const waiting = [...latest].values();
        const work = async (): Promise<void> => {
          for (const [orderId, { tenantId, version }] of waiting) {
            signal.throwIfAborted();
            const answered = await readAtLeast({ tenantId, orderId, minVersion: version });
            if (answered === 'not yet' || (answered !== null && answered >= version)) continue;
            violations.add(`order ${orderId} was read at ${answered ?? 'nothing'} with minVersion ${version}`);
          }
        };
        await Promise.all(Array.from({ length: readsAtOnce }, work));
        return { checked: latest.size, violations };
      },
    };
  },
};
