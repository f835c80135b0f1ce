import type { BodyCheck } from '../../../infra/http-server/body-rules.ts';
import type { OperationalFailure } from '../../../infra/failures.ts';
import { openKeyedWindow, type KeyedWindow } from '../../../infra/kafka/keyed-window.ts';
import type { Consumption, KafkaProducer } from '../../../infra/kafka/port.ts';
import { keepRunning } from '../../../infra/keep-running.ts';
import { within } from '../../../infra/within.ts';
import { commandTopic } from '../../../schemas/wire/command-record.ts';
import { outcomeTopic } from '../../../schemas/wire/outcome-record.ts';
import type { OrderCommands } from '../open.ts';
import { commandAnswerer } from './answer-command.ts';
import type { IntakeLimits } from './limits.ts';
import type { Observe } from './observe.ts';
import type { CommandSchemas } from './schemas.ts';
import { recordSettler } from './settle-record.ts';

export type IntakeOptions = {
  readonly commands: OrderCommands;
  readonly check: BodyCheck;
  readonly producer: KafkaProducer;
  readonly schemas: CommandSchemas;
  /** A member of the group until its signal is aborted: `consumeKafka`. */
  readonly consume: (consumption: Consumption) => Promise<void>;
  readonly observe: Observe;
  /** Told of each failure that a record waits out. */
  readonly onFailure: (failure: OperationalFailure) => void;
  /** Told of what made the consumption begin anew. */
  readonly onRestart: (failure: OperationalFailure) => void;
  readonly limits: IntakeLimits;
  /** The public topics, and the one group of all instances of the role, if absent. */
  readonly names?: IntakeNames;
};

export type IntakeNames = { readonly commands: string; readonly outcomes: string; readonly group: string };

const publicNames: IntakeNames = {
  commands: commandTopic,
  outcomes: outcomeTopic,
  group: 'order-center.order-commands',
};

export type Intake = {
  /** Runs until the signal is aborted; rejects with a bug of ours. */
  run(signal: AbortSignal): Promise<void>;
  status: KeyedWindow['status'];
};

/**
 * Commands from Kafka into the handlers of HTTP, and their outcomes back: a batch is a ready-made group, of which different
 * orders are decided at once and one order in order. An offset passes a command when its outcome is acknowledged.
 */
export function openIntake(options: IntakeOptions): Intake {
  const { commands, check, producer, schemas, limits, observe, onFailure, onRestart, names = publicNames } = options;
  const answer = commandAnswerer(commands, check);
  const work = recordSettler({ producer, schemas, answer, limits, names, observe, onFailure, random: Math.random });
  const window = openKeyedWindow(work, limits);
  return {
    status: () => window.status(),
    run: async (outer) => {
      const inner = new AbortController();
      const signal = AbortSignal.any([outer, inner.signal]);
      const once = (noteProgress: () => void): Promise<void> =>
        options.consume({
          group: names.group,
          topics: [names.commands],
          batchMax: limits.batchMax,
          handle: async (batch) => {
            await window.admit(batch);
            noteProgress();
          },
          settledTo: (partition, nextOffset) => window.settledTo(partition, nextOffset),
          signal,
        });
      const running = keepRunning(once, { signal, onFailure: onRestart, backoffMaxMs: limits.restartMaxMs });
      try {
        await Promise.race([running, window.failed]);
      } finally {
        inner.abort();
        await Promise.allSettled([running]);
        await within(limits.drainMs, window.idle());
      }
    },
  };
}
