import type { FoundTopic, TopicSettings, Topics } from '../port.ts';

export type MemoryTopics = Topics & {
  /** As if somebody had written records to the first partition. */
  write(name: string, records: number): void;
};

type Kept = { settings: TopicSettings; readonly ends: Map<number, number> };

/** What a broker says of a setting that nobody set. */
const byDefault = 'default';

export function memoryTopics({ brokers = 1 } = {}): MemoryTopics {
  const kept = new Map<string, Kept>();
  const found = ({ settings, ends }: Kept, names: readonly string[]): FoundTopic => ({
    ...settings,
    config: Object.fromEntries(names.map((name) => [name, settings.config[name] ?? byDefault])),
    isEmpty: [...ends.values()].every((end) => end === 0),
  });
  const change = (name: string, with_: Partial<TopicSettings>): void => {
    const topic = kept.get(name);
    if (topic === undefined) throw new Error(`there is no topic ${name}`);
    topic.settings = { ...topic.settings, ...with_ };
    for (let partition = 0; partition < topic.settings.partitions; partition += 1) {
      topic.ends.set(partition, topic.ends.get(partition) ?? 0);
    }
  };
  return {
    brokers: () => Promise.resolve(brokers),
    find: (names, config) =>
      Promise.resolve(names.flatMap((name) => [kept.get(name)].filter(isKept).map((topic) => found(topic, config)))),
    create: (topic) => {
      if (kept.has(topic.name)) return Promise.resolve();
      kept.set(topic.name, { settings: topic, ends: new Map() });
      change(topic.name, {});
      return Promise.resolve();
    },
    grow: (name, partitions) => {
      change(name, { partitions });
      return Promise.resolve();
    },
    configure: (name, config) => {
      change(name, { config: { ...kept.get(name)?.settings.config, ...config } });
      return Promise.resolve();
    },
    endOffsets: (names) =>
      Promise.resolve(new Map(names.flatMap((name) => [kept.get(name)].filter(isKept).map(({ ends }) => [name, ends] as const)))), // prettier-ignore
    write: (name, records) => {
      const topic = kept.get(name);
      topic?.ends.set(0, (topic.ends.get(0) ?? 0) + records);
    },
  };
}

function isKept(topic: Kept | undefined): topic is Kept {
  return topic !== undefined;
}
