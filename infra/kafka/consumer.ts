import type { Admin, Consumer } from 'kafkajs';
import type { Logger } from 'pino';
import { OperationalFailure } from '../failures.ts';
import { openKafkaClient, type KafkaClient } from './client.ts';
import { kafkaFailure } from './failure.ts';
import type { KafkaAddress } from './kafka-url.ts';
import { openMember, type Member } from './member.ts';
import { partitionsOf } from './partitions.ts';
import type { Consumption, PartitionLag } from './port.ts';
import { openWatchdog } from './watchdog.ts';

/** What a dead member's partitions wait for: a fraction of the 30 s in which a view is to follow. */
const sessionTimeoutMs = 8_000;
const heartbeatIntervalMs = 1_000;
/** How long the group waits for a member in the middle of a batch. */
const rebalanceTimeoutMs = 10_000;
const requestTimeoutMs = 5_000;
/** A fetch that finds nothing is answered then: stops and seeks wait for it. */
const fetchWaitMs = 250;
const partitionBytesMax = 1_024 * 1_024;
const fetchBytesMax = 8 * 1_024 * 1_024;
/** Batches of one process at work at once, each of another partition. */
const concurrency = 4;
/** Longer than a rebalance with a member that does not answer. */
const silentTicksMax = 20;
/** How often the broker is asked for its offsets: for lag, and for what the driver does not tell. */
const lookEveryMs = 5_000;
/** How late the group's offset may be behind what is settled after its batch. */
const commitEveryMs = 1_000;

export type ConsumerOptions = {
  readonly address: KafkaAddress;
  readonly clientId: string;
  readonly log: Logger;
  /** Called with the way to ask for the lag while the consumption runs, and with null when it ends. */
  readonly onLag?: (ask: (() => readonly PartitionLag[]) | null) => void;
};

/**
 * A member of a group until its signal is aborted. Whatever fails, in the driver, the handler or the watchdogs, ends it:
 * its caller starts it again with a new client (see keepRunning in infra/keep-running.ts).
 * @throws OperationalFailure KAFKA_UNAVAILABLE (retryable); what `startAt` and `handle` threw
 */
export async function consumeKafka(options: ConsumerOptions, consumption: Consumption): Promise<void> {
  const { signal } = consumption;
  if (signal.aborted) return;
  const driver = openDriver(options, consumption);
  const end = Promise.withResolvers<undefined>();
  const fail = (error: unknown): void => {
    end.reject(error);
    // At once, so that the driver does not bring the same records again while others finish theirs.
    driver.consumer.stop().catch(() => undefined);
  };
  const member = openMember({ ...driver, consumption, fail });
  const unwatch = watch({ driver, member, consumption, fail });
  const stop = (): void => {
    end.resolve(undefined);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    void start(driver, consumption, member).catch((error: unknown) => {
      fail(kafkaFailure(error, `${consumption.group} cannot join`));
    });
    options.onLag?.(member.lag);
    await end.promise;
  } finally {
    signal.removeEventListener('abort', stop);
    unwatch();
    options.onLag?.(null);
    await leave(driver, member);
  }
}

type Driver = { readonly client: KafkaClient; readonly consumer: Consumer; readonly admin: Admin };

function openDriver(options: ConsumerOptions, { group }: Consumption): Driver {
  const client = openKafkaClient({ ...options, requestTimeoutMs });
  const consumer = client.kafka.consumer({
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: heartbeatIntervalMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    maxWaitTimeInMs: fetchWaitMs,
    maxBytesPerPartition: partitionBytesMax,
    maxBytes: fetchBytesMax,
    allowAutoTopicCreation: false,
  });
  return { client, consumer, admin: client.kafka.admin() };
}

async function start({ consumer, admin }: Driver, { topics }: Consumption, member: Member): Promise<void> {
  await Promise.all([consumer.connect(), admin.connect()]);
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: concurrency,
    eachBatch: member.handle,
  });
}

type Watching = {
  readonly driver: Driver;
  readonly member: Member;
  readonly consumption: Consumption;
  readonly fail: (error: unknown) => void;
};

/** Hears what the driver tells, and looks after what it does not. @returns the way to stop it */
function watch({ driver: { consumer }, member, consumption, fail }: Watching): () => void {
  const { group, settledTo } = consumption;
  const watchdog = openWatchdog({
    silentTicksMax,
    isBusy: member.isBusy,
    bark: () => {
      fail(new OperationalFailure('KAFKA_UNAVAILABLE', `${group} hears nothing`, { retryable: true }));
    },
  });
  const { events } = consumer;
  for (const sign of [events.FETCH, events.HEARTBEAT, events.GROUP_JOIN, events.CONNECT]) {
    consumer.on(sign, watchdog.noteLife);
  }
  consumer.on(events.GROUP_JOIN, ({ payload }) => {
    member.assigned(partitionsOf(payload.memberAssignment));
  });
  consumer.on(events.CRASH, ({ payload }) => {
    fail(kafkaFailure(payload.error, `${group} cannot go on`));
  });
  // What fails here fails the fetching as well, which ends the consumption.
  const every = (ms: number, ask: () => Promise<void>) =>
    setInterval(() => void ask().catch(() => undefined), ms).unref();
  const looking = every(lookEveryMs, member.look);
  const committing = settledTo === undefined ? undefined : every(commitEveryMs, member.commit);
  return () => {
    watchdog.stop();
    clearInterval(looking);
    clearInterval(committing);
  };
}

/** The batches in hand first: nobody cuts a handler short. */
async function leave({ client, consumer, admin }: Driver, member: Member): Promise<void> {
  const stopping = consumer.stop().catch(() => undefined);
  await member.leave();
  await client.close(async () => {
    await stopping;
    await Promise.all([consumer.disconnect(), admin.disconnect()]);
  });
}
