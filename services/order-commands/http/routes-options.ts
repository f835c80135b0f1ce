import type { OrderCommands } from '../open.ts';
import type { Showing } from './send-order.ts';

export type OrderCommandRoutesOptions = Showing & {
  readonly commands: OrderCommands;
  /** Told of each placement's time from its arrival to its durable answer, in seconds, and its trace. */
  readonly observePlacement?: (seconds: number, traceId: string) => void;
};
