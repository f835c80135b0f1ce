import type { Category } from './ids.ts';
import { eventSchemas } from './generated/registry.ts';

export type EventType = (typeof eventSchemas)[number]['type'];
export type RegisteredSchema = (typeof eventSchemas)[number];

const latest = new Map<string, RegisteredSchema>();
for (const row of eventSchemas) {
  if (row.version > (latest.get(row.type)?.version ?? 0)) latest.set(row.type, row);
}

export const eventTypes: readonly EventType[] = [...latest.keys()] as EventType[];

/** @throws on a type that no schema names: a bug of the caller, never of the data */
export function latestSchemaOf(type: string): RegisteredSchema {
  const row = latest.get(type);
  if (row === undefined) throw new Error(`no schema for the event type ${type}`);
  return row;
}

export function isEventType(type: string): type is EventType {
  return latest.has(type);
}

export function categoryOfType(type: EventType): Category {
  return latestSchemaOf(type).category;
}
