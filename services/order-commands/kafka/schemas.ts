import { groupCommit } from '../../../infra/group-commit.ts';
import type { RecordSchemas } from '../../../infra/schema-registry/port.ts';
import { allCommandWriters, allOutcomeWriters } from '../../../schemas/message-writers.ts';
import { frameOf } from '../../../schemas/wire/frame.ts';
import { noRegistry, type WireSchemas } from '../../../schemas/wire/wire-schemas.ts';

/** Both reject with SCHEMA_REGISTRY_UNAVAILABLE (retryable), which says nothing about a record: it waits then. */
export type CommandSchemas = {
  /** What it takes to read this value; at once where it names its schema by itself. */
  readonly reading: (value: Buffer | null) => Promise<WireSchemas>;
  /** What outcomes are written with. Publishers then find the schemas of commands there as well. */
  readonly writing: () => Promise<WireSchemas>;
};

/** Values whose schemas are asked for together, so that a flood of made-up ids is no flood of requests. */
const groupMax = 64;

/** @param pendingMax records that may ask at the same time */
export function openCommandSchemas(schemas: RecordSchemas, pendingMax: number): CommandSchemas {
  const load = groupCommit<Buffer | null, WireSchemas>(
    async (values) => {
      const loaded = await schemas.load(values);
      return values.map(() => loaded);
    },
    { groupMax, queuedMax: pendingMax },
  );
  let registered: Promise<WireSchemas> | null = null;
  return {
    reading: (value) => (frameOf(value).kind === 'registered' ? load.push(value) : Promise.resolve(noRegistry)),
    writing: async () => {
      registered ??= schemas.register([...allCommandWriters, ...allOutcomeWriters]);
      try {
        return await registered;
      } catch (error) {
        registered = null;
        throw error;
      }
    },
  };
}
