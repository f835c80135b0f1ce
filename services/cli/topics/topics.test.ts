import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { relayConsumer } from '../../../infra/event-feed/port.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import { startKafkaBroker, type KafkaBroker } from '../../../infra/local/kafka-broker.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import { topicList } from '../../../infra/topics/topic-list.ts';
import { appendAll, anOrderId, placement } from '../../../projections/examples.ts';
import { describeWithKafkaBroker } from '../../../test/kafka.ts';
import { describeWithPostgres, freshDatabase } from '../../../test/postgres.ts';
import { openTestCli, type TestCli } from '../test-cli.ts';

let cli: TestCli;
beforeEach(async () => {
  cli = await openTestCli();
});
afterEach(() => cli.close());

describe('topics', () => {
  it.each([
    [['topics', 'diff'], 'FEED_URL is not set'],
    [['topics', 'diff', '--kafka', 'http://127.0.0.1:9092'], '--kafka must be kafka://'],
    [['topics', 'apply', '--kafka', 'kafka://127.0.0.1:1'], 'KAFKA_UNAVAILABLE'],
  ])('%j says in one line what is wrong', { timeout: 60_000 }, async (args, said) => {
    const { code, stdout, stderr } = await cli.run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(said);
  });
});

describeWithKafkaBroker('topics on a Kafka', () => {
  let kafka: KafkaBroker;
  beforeAll(async () => {
    kafka = await startKafkaBroker();
  }, 120_000);
  afterAll(() => kafka.stop());

  it('are made once, and are then as they are to be', { timeout: 120_000 }, async () => {
    const env = { FEED_URL: `kafka://${kafka.brokers}` };
    const before = await cli.run(['topics', 'diff', '--json'], env);
    expect(before.code).toBe(1);
    const missing = topicList.map(({ name: topic }) => ({ topic, difference: 'does not exist' }));
    expect(JSON.parse(before.stdout)).toEqual({ differences: missing });
    const applied = await cli.run(['topics', 'apply', '--json'], env);
    expect({ code: applied.code, done: JSON.parse(applied.stdout) as unknown }).toEqual({
      code: 0,
      done: { done: missing, left: [] },
    });
    expect(await cli.run(['topics', 'apply'], env)).toMatchObject({ code: 0, stdout: 'Nothing was to be done.\n' });
    expect(await cli.run(['topics', 'diff'], env)).toMatchObject({ code: 0 });
  });
});

describeWithPostgres('topics republish', () => {
  it('lets the relay begin again, when it is told to', { timeout: 60_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const database = await freshDatabase();
    stack.defer(() => database.drop());
    const store = await openEventStore(database.url);
    stack.defer(() => store.close());
    const readStore = openReadStore(database.url);
    stack.defer(() => readStore.close());
    await readStore.prepare([]);
    const [event] = await appendAll(store, [placement(anOrderId('republished'))]);
    if (event === undefined) throw new Error('one was appended');
    await readStore.moveCheckpoint({ consumer: relayConsumer, partition: 'log', from: null, to: event.position });
    const env = { EVENT_STORE_URL: database.url };
    const place = (): Promise<unknown> => readStore.loadCheckpoint(relayConsumer, 'log');

    const refused = await cli.run(['topics', 'republish'], env);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--yes');
    expect(await place()).toBe(event.position);

    expect(await cli.run(['topics', 'republish', '--yes'], env)).toMatchObject({ code: 0 });
    expect(await place()).toBeNull();
    expect(await cli.run(['topics', 'republish', '--json'], env)).toMatchObject({
      code: 0,
      stdout: '{"republished":false}\n',
    });
  });
});
