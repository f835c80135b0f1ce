import type { Decider } from '../../infra/event-store/decider.ts';
import type { StockCommand } from '../../schemas/commands.ts';
import type { StockEvent } from '../../schemas/generated/events.ts';
import { decide } from './decide.ts';
import { evolve, untracked, type StockState } from './stock.ts';

/** What `transact` runs on streams `stock-<tenant>~<sku>`. */
export const stockDecider: Decider<StockState, StockCommand, StockEvent> = { initial: untracked, evolve, decide };
