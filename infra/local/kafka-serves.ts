import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';

import { within } from '../within.ts';

const servesMaxMs = 90_000;
const attemptMaxMs = 15_000;
const attemptPauseMs = 100;

/**
 * Waits until a broker makes topics and coordinates consumer groups and transactions: its internal topics are made by
 * the first who ask, and refuse work for seconds after a start. Clients that come later find all of it ready.
 * @returns null when it serves, or what it did instead
 */
export async function untilKafkaServes(brokers: string): Promise<string | null> {
  const deadline = performance.now() + servesMaxMs;
  let problem = '';
  while (performance.now() < deadline) {
    try {
      if ((await within(attemptMaxMs, asked(brokers))) === true) return null;
      problem = `no answer within ${attemptMaxMs} ms`;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    await pause(attemptPauseMs);
  }
  return `does not serve within ${servesMaxMs} ms (${problem})`;
}

async function asked(brokers: string): Promise<true> {
  const kafka = new Kafka({
    clientId: 'order-center-start',
    brokers: [brokers],
    // Until it serves it refuses, and that is no news.
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    retry: { retries: 10, initialRetryTime: 50, maxRetryTime: 300, factor: 0 },
  });
  const admin = kafka.admin();
  const producer = kafka.producer({ transactionalId: 'order-center-start', idempotent: true, maxInFlightRequests: 1 });
  try {
    await Promise.all([
      admin.connect().then(() => admin.fetchOffsets({ groupId: 'order-center-start' })),
      // Connecting asks the coordinator of transactions for an id.
      producer.connect(),
    ]);
    return true;
  } finally {
    await Promise.allSettled([admin.disconnect(), producer.disconnect()]);
  }
}
