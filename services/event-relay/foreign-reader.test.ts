import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it, vi } from 'vitest';
import { findProgram } from '../../infra/local/find-program.ts';
import { relayConsumer } from '../../infra/event-feed/port.ts';
import { anOrderId, appendAll } from '../../projections/examples.ts';
import type { AnyEvent } from '../../schemas/envelope.ts';
import { categoryOfType, eventTypes } from '../../schemas/event-registry.ts';
import { exampleData } from '../../schemas/examples.ts';
import { describeWithKafka, freshTopicPrefix, kafkaBrokers } from '../../test/kafka.ts';
import { findPython } from '../../test/python.ts';
import { logOf, makeTopics, openRelayWorld } from './test-world.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, '..', '..', 'docs', 'examples', 'read_events.py');

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

type Line = { readonly key: string; readonly headers: Readonly<Record<string, string>>; readonly data: object };

/** Every type of an order's events, one after the other; as an order they make no sense, and no reader of bytes asks. */
function everyOrderEvent(name: string): readonly AnyEvent[] {
  const orderId = anOrderId(name);
  const types = eventTypes.filter((type) => categoryOfType(type) === 'order');
  return types.map((type) => ({ type, data: { ...exampleData[type], orderId } }) as AnyEvent);
}

describeWithKafka('readers that are not ours', () => {
  it('read order.events with kcat and fastavro, from the first to the last, each order in order', async (context) => {
    if ((await findProgram('kcat')) === null) return context.skip('no kcat on PATH: apt-get install kcat');
    const found = await findPython();
    if ('missing' in found) return context.skip(found.missing);
    const prefix = freshTopicPrefix();
    const world = openRelayWorld(kafkaBrokers(), prefix);
    opened.push(() => world.close());
    await makeTopics(world.topics, prefix);
    for (let order = 0; order < 8; order += 1) await appendAll(world.store, everyOrderEvent(`foreign-${order}`));
    world.start();
    const head = await world.store.head();
    await vi.waitFor(async () => expect(await world.readStore.loadCheckpoint(relayConsumer, 'log')).toBe(head), {
      timeout: 30_000,
    });

    const kcat = `kcat -b "$1" -t "$2" -C -e -q -f '%p %o %K %S\\n%k%s\\n%h\\n' | "$3" "$4"`;
    const args = ['-c', kcat, 'sh', kafkaBrokers(), `${prefix}order.events`, found.python, script];
    const { stdout } = await run('sh', args, { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 });
    const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Line); // prettier-ignore

    const log = await logOf(world.store);
    expect(lines).toHaveLength(log.size);
    for (const { key, headers, data } of lines) {
      const event = log.get(headers.ce_id ?? '');
      expect({ key, data }).toEqual({ key: event?.stream.slice('order-'.length), data: event?.data });
      expect(headers).toMatchObject({
        ce_type: event?.type,
        ce_sequence: String(event?.revision),
        position: event?.position,
        epoch: world.store.epoch,
      });
    }
    for (const [, ofOrder] of Map.groupBy(lines, ({ key }) => key)) {
      expect(ofOrder.map(({ headers }) => Number(headers.ce_sequence))).toEqual(ofOrder.map((_, index) => index));
    }
  }, 360_000);
});
