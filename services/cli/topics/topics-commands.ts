import { Command, Option } from 'commander';
import { describeVerb } from '../verb.ts';
import type { Act } from '../verb.ts';
import type { RepublishOptions } from './republish-verb.ts';
import type { TopicsOptions } from './topics-verb.ts';

/** `topics`: what Kafka is to hold. */
export function topicsVerbs(act: Act): Command {
  const kafka = (): Option => new Option('--kafka <url>', 'the Kafka, as kafka://host:9092; FEED_URL if absent');
  const diff = describeVerb('diff', 'Say how the topics differ from what they are to be; exit 1 where they do.', [
    'topics diff',
    'topics diff --kafka kafka://broker-1:9092,broker-2:9092 --json',
  ])
    .addOption(kafka())
    .option('--json', 'print JSON')
    .action(
      act(async (context, options: TopicsOptions) => (await import('./topics-verb.ts')).diffVerb(context, options)),
    );
  const apply = describeVerb('apply', 'Make the topics: what is missing, and settings that differ. Nothing is lost.', [
    'topics apply',
    'topics apply --kafka kafka://127.0.0.1:9092',
  ])
    .addOption(kafka())
    .option('--json', 'print JSON')
    .action(
      act(async (context, options: TopicsOptions) => (await import('./topics-verb.ts')).applyVerb(context, options)),
    );
  const republish = describeVerb('republish', 'Let the relay publish every event again, after topics lost some.', [
    'topics republish --yes',
  ])
    .option('--yes', 'do it')
    .option('--json', 'print JSON')
    .action(
      act(async (context, options: RepublishOptions) => {
        const { republishVerb } = await import('./republish-verb.ts');
        return republishVerb(context, options);
      }),
    );
  return new Command('topics')
    .description('Make and check the topics on Kafka.')
    .addCommand(apply)
    .addCommand(diff)
    .addCommand(republish);
}
