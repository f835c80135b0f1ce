import type { OrderCommands } from '../open.ts';
import type { SummaryAt } from './send-order.ts';

export type OrderCommandRoutesOptions = {
  readonly commands: OrderCommands;
  readonly summaryAt: SummaryAt;
  /** Told of each placement's time from its arrival to its durable answer, in seconds, and its trace. */
  readonly observePlacement?: (seconds: number, traceId: string) => void;
};
