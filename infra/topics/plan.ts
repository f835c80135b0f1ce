import type { FoundTopic, TopicSettings } from './port.ts';

/** One way in which a topic is not what it is to be, in words for a person. */
export type TopicDifference = {
  readonly topic: string;
  readonly difference: string;
  /** What makes it right; null: nothing here does, since it would tear the order of keys apart or move data. */
  readonly step: TopicStep | null;
};

export type TopicStep =
  | { readonly kind: 'create'; readonly topic: TopicSettings }
  | { readonly kind: 'grow'; readonly name: string; readonly partitions: number }
  | { readonly kind: 'configure'; readonly name: string; readonly config: TopicSettings['config'] };

/** As many copies as there are brokers for; two of three must have a record before it is acknowledged. */
export function fitTo(brokers: number, topic: TopicSettings): TopicSettings {
  const replication = Math.max(1, Math.min(topic.replication, brokers));
  const inSync = String(Math.max(1, replication - 1));
  return { ...topic, replication, config: { ...topic.config, 'min.insync.replicas': inSync } };
}

/** What differs, in the order of `wanted`. Topics that nobody wants are nobody's difference. */
export function planTopics(wanted: readonly TopicSettings[], found: readonly FoundTopic[]): readonly TopicDifference[] {
  const byName = new Map(found.map((topic) => [topic.name, topic]));
  return wanted.flatMap((topic) => {
    const existing = byName.get(topic.name);
    return existing === undefined ? [missing(topic)] : differencesOf(topic, existing);
  });
}

function missing(topic: TopicSettings): TopicDifference {
  return { topic: topic.name, difference: 'does not exist', step: { kind: 'create', topic } };
}

function differencesOf(wanted: TopicSettings, found: FoundTopic): readonly TopicDifference[] {
  return [...partitionsOf(wanted, found), ...replicationOf(wanted, found), ...configOf(wanted, found)];
}

/** A topic that has records keeps its partitions: with another count, later records of a key overtake the earlier ones. */
function partitionsOf(wanted: TopicSettings, found: FoundTopic): readonly TopicDifference[] {
  if (found.partitions === wanted.partitions) return [];
  const { name: topic, partitions } = wanted;
  const canGrow = found.isEmpty && found.partitions < partitions;
  const difference = `has ${found.partitions} partitions, not ${partitions}`;
  if (canGrow) return [{ topic, difference, step: { kind: 'grow', name: topic, partitions } }];
  const why = found.isEmpty ? 'a topic never shrinks' : 'it has records, whose keys would move';
  return [{ topic, difference: `${difference}: ${why}`, step: null }];
}

function replicationOf(wanted: TopicSettings, found: FoundTopic): readonly TopicDifference[] {
  if (found.replication >= wanted.replication) return [];
  const difference = `has ${found.replication} copies, not ${wanted.replication}: reassign its partitions`;
  return [{ topic: wanted.name, difference, step: null }];
}

function configOf(wanted: TopicSettings, found: FoundTopic): readonly TopicDifference[] {
  const wrong = Object.entries(wanted.config).filter(([name, value]) => found.config[name] !== value);
  if (wrong.length === 0) return [];
  const said = wrong.map(([name, value]) => `${name} is ${found.config[name] ?? 'unknown'}, not ${value}`);
  const step: TopicStep = { kind: 'configure', name: wanted.name, config: Object.fromEntries(wrong) };
  return [{ topic: wanted.name, difference: said.join('; '), step }];
}
