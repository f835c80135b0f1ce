import type { Decider } from '../../infra/event-store/decider.ts';
import type { OrderCommand } from '../../schemas/commands.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { decide } from './decide.ts';
import { evolve, unplaced, type OrderState } from './order.ts';

/** What `transact` runs on streams `order-<orderId>`. */
export const orderDecider: Decider<OrderState, OrderCommand, OrderEvent> = { initial: unplaced, evolve, decide };
