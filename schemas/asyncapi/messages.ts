import { exampleData } from '../examples.ts';
import { eventReader } from '../event-writers.ts';
import { eventTypes } from '../event-registry.ts';
import { exampleOutcomes, examplePayloads } from '../message-examples.ts';
import { commandSchemas, outcomeSchemas } from '../generated/messages.ts';

/** A message as AsyncAPI names one; `payload` is the .avsc as it is, in AsyncAPI's multi-format schema object. */
export type Message = {
  readonly name: string;
  readonly topic: string;
  readonly summary: string;
  readonly schema: object;
  readonly headers: 'EventHeaders' | 'CommandHeaders';
  readonly example: object;
};

type Described = { readonly type: string; readonly version: number; readonly schema: { readonly doc: string } };

/** The newest version of each: what is written today. Readers get older ones as well, which resolve to it. */
function latestOf<Row extends Described>(rows: readonly Row[]): readonly Row[] {
  const latest = new Map<string, Row>();
  for (const row of rows) if ((latest.get(row.type)?.version ?? 0) < row.version) latest.set(row.type, row);
  return [...latest.values()];
}

const commands: readonly Message[] = latestOf(commandSchemas).map(({ type, schema }) => ({
  name: type,
  topic: 'order.commands',
  summary: schema.doc,
  schema,
  headers: 'CommandHeaders',
  example: examplePayloads[type],
}));

const outcomes: readonly Message[] = latestOf(outcomeSchemas).map(({ type, schema }) => ({
  name: type,
  topic: 'order.command-outcomes',
  summary: schema.doc,
  schema,
  headers: 'CommandHeaders',
  example: exampleOutcomes.accepted,
}));

const events: readonly Message[] = eventTypes.flatMap((type) => {
  const { category, schema } = eventReader(type).row;
  if (category === 'fulfillment') return [];
  const topic = `${category}.events`;
  return [{ name: type, topic, summary: schema.doc, schema, headers: 'EventHeaders', example: exampleData[type] }];
});

/** Every message that Kafka carries for others to write or to read. */
export const messages: readonly Message[] = [...commands, ...outcomes, ...events];
