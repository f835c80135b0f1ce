import type { CommandMessage } from '../../../schemas/generated/messages.ts';
import type { OrderId } from '../../../schemas/ids.ts';

/** What operators want to know of the commands that come by Kafka. */
export type Observation =
  | {
      readonly what: 'outcome';
      /** `accepted`, or why not. */
      readonly code: string;
      readonly type: CommandMessage['type'];
      readonly isNew: boolean;
      /** From its arrival in this process to its acknowledged outcome. */
      readonly seconds: number;
      readonly traceId: string;
    }
  | {
      readonly what: 'dead-letter';
      readonly reason: string;
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
    }
  | { readonly what: 'bug'; readonly orderId: OrderId; readonly error: unknown };

export type Observe = (observation: Observation) => void;
