import { readConfig } from '../../../infra/config/config.ts';
import { openLog } from '../../../infra/logging/open.ts';
import { parseKafkaUrl } from '../../../infra/kafka/kafka-url.ts';
import { applyTopics, diffTopics } from '../../../infra/topics/apply.ts';
import { openTopics } from '../../../infra/topics/open.ts';
import type { TopicDifference } from '../../../infra/topics/plan.ts';
import type { Topics } from '../../../infra/topics/port.ts';
import { topicList } from '../../../infra/topics/topic-list.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { toTable } from '../terminal.ts';
import type { VerbContext } from '../verb.ts';

export type TopicsOptions = { readonly kafka?: string; readonly json?: boolean };

/** Says how the topics differ from what they are to be. Exit 1 where they do. */
export async function diffVerb(context: VerbContext, options: TopicsOptions): Promise<number> {
  const differences = await diffTopics(topicsOf(context, options), topicList);
  if (options.json === true) printJson(context, { differences: differences.map(told) });
  else if (differences.length === 0) context.terminal.print('All topics are as they are to be.');
  else context.terminal.print(tableOf(differences));
  return differences.length === 0 ? exitCodes.done : exitCodes.failed;
}

/** Makes the topics what they are to be, as far as that loses and reorders nothing. Exit 1 where something stays. */
export async function applyVerb(context: VerbContext, options: TopicsOptions): Promise<number> {
  const { done, left } = await applyTopics(topicsOf(context, options), topicList);
  if (options.json === true) printJson(context, { done: done.map(told), left: left.map(told) });
  else {
    const { terminal } = context;
    terminal.print(done.length === 0 ? 'Nothing was to be done.' : `Made right:\n${tableOf(done)}`);
    if (left.length > 0) terminal.note(`Left as it is:\n${tableOf(left)}`);
  }
  return left.length === 0 ? exitCodes.done : exitCodes.failed;
}

function topicsOf({ env }: VerbContext, { kafka }: TopicsOptions): Topics {
  const url = kafka ?? readConfig(env).feedUrl;
  if (url === null) throw new CommandFailure('FEED_URL is not set, and no --kafka is given: which Kafka is meant?');
  try {
    parseKafkaUrl(url);
  } catch (error) {
    throw new CommandFailure(`--kafka ${error instanceof Error ? error.message : 'is not readable'}`);
  }
  return openTopics(url, openLog({ role: 'cli', level: 'silent' }));
}

function told({ topic, difference }: TopicDifference): Pick<TopicDifference, 'topic' | 'difference'> {
  return { topic, difference };
}

function tableOf(differences: readonly TopicDifference[]): string {
  return toTable(differences.map(({ topic, difference }) => [topic, difference]));
}

function printJson({ terminal }: VerbContext, value: object): void {
  terminal.print(JSON.stringify(value, null, 2));
}
