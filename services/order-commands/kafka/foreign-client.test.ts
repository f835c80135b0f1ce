import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithKafka, kafkaBrokers } from '../../../test/kafka.ts';
import { describeWithPython } from '../../../test/python.ts';
import type { CommandOutcome } from '../../../schemas/generated/messages.ts';
import { openShop, order, orderOf, type TestShop } from './test-door.ts';

let stack: AsyncDisposableStack;
let shop: TestShop;

describeWithKafka('a client that is not ours', () => {
  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    shop = await openShop(stack);
  });
  afterEach(() => stack.disposeAsync());

  describeWithPython('Python with confluent-kafka and fastavro', (python) => {
    it('places orders by keys of its own reckoning, compressed as it likes, and reads the outcomes', async () => {
      await shop.openDoor();
      const command = { tenantId: 'default', type: 'PlaceOrder', payload: order };
      const placements = ['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((compression) => {
        const commandId = `by-${compression}`;
        return { ...command, commandId, placedBy: commandId, compression };
      });
      const wrongSum = { ...order, payments: [{ method: 'card', amount: 1 }] };
      const others = [
        { ...command, commandId: 'wrong', placedBy: 'wrong', payload: wrongSum, compression: 'zstd' },
        {
          ...{ ...command, type: 'CancelOrder', payload: { reason: 'no more' } },
          ...{ commandId: 'cancel', placedBy: 'by-zstd', compression: 'lz4' },
        },
      ];
      const outcomes = await publish(python(), [...placements, ...others]);
      const codes = Object.fromEntries(outcomes.map(({ commandId, code, outcome }) => [commandId, code ?? outcome]));
      expect(codes).toEqual({
        ...Object.fromEntries(placements.map(({ commandId }) => [commandId, 'accepted'])),
        cancel: 'accepted',
        wrong: 'TOTAL_MISMATCH',
      });
      for (const { commandId, placedBy } of [...placements, ...others]) {
        expect(outcomes.find((each) => each.commandId === commandId)?.orderId).toBe(orderOf(placedBy));
      }
      expect(await shop.eventsOf(orderOf('by-zstd'))).toEqual(['OrderPlaced', 'OrderCancelled']);
      expect(await shop.eventsOf(orderOf('by-snappy'))).toEqual(['OrderPlaced']);
      expect(shop.deadLetters()).toEqual([]);
    }, 90_000);
  });
});

async function publish(python: string, lines: readonly object[]): Promise<readonly CommandOutcome[]> {
  const root = join(import.meta.dirname, '..', '..', '..');
  const script = join(root, 'test', 'foreign', 'publish_commands.py');
  const args = [script, kafkaBrokers(), shop.names.commands, shop.names.outcomes, join(root, 'schemas')];
  const child = spawn(python, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 80_000 });
  child.stdin.end(lines.map((line) => JSON.stringify(line)).join('\n'));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(stderr).toBe('');
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CommandOutcome);
}
