import type { RecordedEvent } from '../../../../schemas/envelope.ts';
import type { StreamName } from '../../../../schemas/ids.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant } from '../invariant.ts';

/** After each event of a stock stream, from the SKU's first receipt on. */
export const stock: Invariant = {
  id: 'I26',
  statement: 'Of each tracked SKU 0 <= reserved <= on hand = received + adjusted - deducted.',
  check: () => {
    const skus = new Map<StreamName, Count>();
    const violations = noViolations();
    return {
      see: (event) => {
        if (!event.stream.startsWith('stock-')) return;
        const before = skus.get(event.stream);
        // Before its first receipt a SKU is not tracked: there is nothing to count.
        if (before === undefined && event.type !== 'StockReceived') return;
        const { onHand, reserved } = counted(before ?? { onHand: 0, reserved: 0 }, event);
        skus.set(event.stream, { onHand, reserved });
        if (0 <= reserved && reserved <= onHand) return;
        violations.add(`${event.stream} at revision ${event.revision}: ${onHand} on hand, ${reserved} reserved`);
      },
      finish: () => ({ checked: skus.size, violations }),
    };
  },
};

type Count = { readonly onHand: number; readonly reserved: number };

function counted({ onHand, reserved }: Count, event: RecordedEvent): Count {
  switch (event.type) {
    case 'StockReceived':
      return { onHand: onHand + event.data.quantity, reserved };
    case 'StockAdjusted':
      return { onHand: onHand + event.data.delta, reserved };
    case 'StockReserved':
      return { onHand, reserved: reserved + event.data.quantity };
    case 'StockReservationChanged':
      return { onHand, reserved: reserved + event.data.quantity - event.data.previousQuantity };
    case 'StockReleased':
      return { onHand, reserved: reserved - event.data.quantity };
    case 'StockDeducted':
      return { onHand: onHand - event.data.quantity, reserved: reserved - event.data.quantity };
    default:
      return { onHand, reserved };
  }
}
