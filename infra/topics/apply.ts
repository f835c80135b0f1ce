import { fitTo, planTopics, type TopicDifference, type TopicStep } from './plan.ts';
import type { TopicSettings, Topics } from './port.ts';

/** How the topics differ from what they are to be on the brokers at hand. */
export async function diffTopics(topics: Topics, list: readonly TopicSettings[]): Promise<readonly TopicDifference[]> {
  const brokers = await topics.brokers();
  const wanted = list.map((topic) => fitTo(brokers, topic));
  const settings = new Set(wanted.flatMap(({ config }) => Object.keys(config)));
  return planTopics(wanted, await topics.find(wanted.map(({ name }) => name), [...settings])); // prettier-ignore
}

export type Applied = {
  /** What was made right. */
  readonly done: readonly TopicDifference[];
  /** What stays different: nothing was done about it. */
  readonly left: readonly TopicDifference[];
};

/** Makes the topics what they are to be, as far as that loses and reorders nothing. A second run does nothing. */
export async function applyTopics(topics: Topics, list: readonly TopicSettings[]): Promise<Applied> {
  const differences = await diffTopics(topics, list);
  const done: TopicDifference[] = [];
  for (const each of differences) {
    if (each.step === null) continue;
    await take(topics, each.step);
    done.push(each);
  }
  return { done, left: differences.filter(({ step }) => step === null) };
}

function take(topics: Topics, step: TopicStep): Promise<void> {
  switch (step.kind) {
    case 'create':
      return topics.create(step.topic);
    case 'grow':
      return topics.grow(step.name, step.partitions);
    case 'configure':
      return topics.configure(step.name, step.config);
  }
}
