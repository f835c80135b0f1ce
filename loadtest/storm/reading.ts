import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';

import { jsonOf } from '../orders/http-client.ts';
import type { HttpClient } from '../orders/http-client.ts';
import { between } from '../orders/seeded-random.ts';
import type { Random } from '../orders/seeded-random.ts';
import type { Latency } from './open-loop.ts';

/** An order that was acknowledged, and the version that its answer had. */
export type AckedOrder = { readonly orderId: string; readonly version: number; readonly isCard: boolean };

export type ReadingOptions = {
  readonly client: HttpClient;
  /** Grows while it is read. */
  readonly acked: readonly AckedOrder[];
  readonly random: Random;
  /** For `order-center verify --reads`: a line for each answer, in the order in which they came. */
  readonly path: string;
};

export type Reading = { readonly stop: () => Promise<ReadingReport> };

export type ReadingReport = {
  readonly reads: number;
  readonly latencies: readonly Latency[];
  /** Answers that were none, by their code. */
  readonly errors: ReadonlyMap<string, number>;
  /** A sentence for each order that was read at an older version than before. */
  readonly wentBack: readonly string[];
};

const everyMs = 20;
const outstandingMax = 32;
/** Orders that are read again and again while they change. */
const recentMax = 40;

/**
 * One reader of many orders, at a steady pace: half of the reads are of any order, half of the newest that change. It
 * knows of each order the version that its placement was answered with, and asks for nothing newer; an order is never
 * read twice at once, so that what came later was asked later.
 */
export function startReading(options: ReadingOptions): Reading {
  const file = createWriteStream(options.path, { mode: 0o600 });
  const state: State = { ...options, file, busy: new Set(), seen: new Map(), reads: 0, latencies: [], errors: new Map(), wentBack: [] }; // prettier-ignore
  let isOver = false;
  const over = (): boolean => isOver;
  const work = async (): Promise<void> => {
    for (let turn = 0, beganAt = performance.now(); !over(); turn += 1) {
      await wait(Math.max(0, beganAt + turn * everyMs - performance.now()));
      const order = choose(state);
      if (order !== undefined && !state.busy.has(order.orderId) && state.busy.size < outstandingMax) {
        void readOne(state, order);
      }
    }
  };
  const working = work();
  return {
    stop: async () => {
      isOver = true;
      await working;
      // Each read is bounded by its client.
      while (state.busy.size > 0) await wait(10);
      file.end();
      await finished(file);
      return state;
    },
  };
}

type State = ReadingOptions & {
  readonly file: NodeJS.WritableStream;
  readonly busy: Set<string>;
  readonly seen: Map<string, number>;
  readonly latencies: Latency[];
  readonly errors: Map<string, number>;
  readonly wentBack: string[];
  reads: number;
};

function choose({ acked, random }: State): AckedOrder | undefined {
  if (random() < 0.5) return acked[between(random, 0, acked.length - 1)];
  const cards = acked.slice(-100 * recentMax).filter(({ isCard }) => isCard);
  return cards[between(random, Math.max(0, cards.length - recentMax), cards.length - 1)];
}

async function readOne(state: State, { orderId, version: atLeast }: AckedOrder): Promise<void> {
  const at = performance.now();
  state.busy.add(orderId);
  const answer = await state.client.send({ path: `/v1/orders/${orderId}?minVersion=${atLeast}` });
  state.busy.delete(orderId);
  state.reads += 1;
  state.latencies.push({ at, ms: performance.now() - at });
  const { version, code } = 'noAnswer' in answer ? { version: null, code: answer.noAnswer } : jsonOf(answer);
  if (typeof version !== 'number') {
    const reason = typeof code === 'string' ? code : `HTTP_${'status' in answer ? answer.status : 0}`;
    state.errors.set(reason, (state.errors.get(reason) ?? 0) + 1);
    return;
  }
  const before = state.seen.get(orderId) ?? atLeast;
  if (version < before) state.wentBack.push(`order ${orderId} was read at version ${version} after ${before}`);
  state.seen.set(orderId, Math.max(version, before));
  state.file.write(`${JSON.stringify({ orderId, version, at: new Date().toISOString() })}\n`);
}
