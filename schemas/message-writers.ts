import { avroWriter, type AvroWriter } from './avro/writer.ts';
import { commandSchemas, outcomeSchemas, type CommandMessage } from './generated/messages.ts';

export type CommandType = CommandMessage['type'];
type MessageSchema = (typeof commandSchemas)[number] | (typeof outcomeSchemas)[number];

/** A released schema of a command or an outcome, ready to write and to read. */
export type MessageWriter<Row extends MessageSchema = MessageSchema> = AvroWriter & { readonly row: Row };

function writersOf<Row extends MessageSchema>(rows: readonly Row[]): readonly MessageWriter<Row>[] {
  return rows.map((row) => ({ ...avroWriter(row.schema), row }));
}

export const allCommandWriters = writersOf(commandSchemas);
export const allOutcomeWriters = writersOf(outcomeSchemas);

/** What is read and written today of each name, with its namespace: the newest version. */
function latestOf<Writer extends MessageWriter>(writers: readonly Writer[]): ReadonlyMap<string, Writer> {
  const latest = new Map<string, Writer>();
  for (const writer of writers) {
    if ((latest.get(writer.fullName)?.row.version ?? 0) < writer.row.version) latest.set(writer.fullName, writer);
  }
  return latest;
}

const latestCommands = latestOf(allCommandWriters);
const latestOutcomes = latestOf(allOutcomeWriters);

/** @param fullName with its namespace: `ordercenter.commands.PlaceOrder` */
export function commandReader(fullName: string): (typeof allCommandWriters)[number] | undefined {
  return latestCommands.get(fullName);
}

export function commandWriter(type: CommandType): AvroWriter {
  return present(latestCommands.get(`ordercenter.commands.${type}`), type);
}

export function outcomeWriter(): AvroWriter {
  return present(latestOutcomes.get('ordercenter.outcomes.CommandOutcome'), 'CommandOutcome');
}

function present<Writer>(writer: Writer | undefined, name: string): Writer {
  if (writer === undefined) throw new Error(`no codec for ${name}`);
  return writer;
}
