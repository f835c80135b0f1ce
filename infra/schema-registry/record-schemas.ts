import { LRUCache } from 'lru-cache';
import { avroWriter, type AvroWriter } from '../../schemas/avro/writer.ts';
import { frameOf } from '../../schemas/wire/frame.ts';
import { noRegistry, type WireSchemas } from '../../schemas/wire/wire-schemas.ts';
import type { RecordSchemas, SchemaRegistry } from './port.ts';

/** There is no registry: single-object encoding, which names its schema by itself. */
export const withoutRegistry: RecordSchemas = {
  register: () => Promise.resolve(noRegistry),
  load: () => Promise.resolve(noRegistry),
};

/** Publishers have tens of schemas, with all their versions hundreds. */
const cachedMax = 1_000;
/** An id that is not known yet may be in a moment, where the registry has several nodes. */
const unknownForMs = 5_000;
/** Questions to the registry at once: a flood of made-up ids must not become one of requests. */
const askingMax = 8;

type Known = { readonly writer: AvroWriter | null };

/**
 * Subjects are named after the record, with its namespace (Confluent's RecordNameStrategy): a topic carries several types,
 * and a type is the same on whatever topic. Ids never change their meaning, so they are asked for once.
 */
export function openRecordSchemas(registry: SchemaRegistry, now: () => number = Date.now): RecordSchemas {
  const cache = new LRUCache<number, Known & { readonly until: number }>({ max: cachedMax });
  const ids = new Map<string, number>();
  const idOf: WireSchemas['idOf'] = ({ fingerprint }) => ids.get(fingerprint.toString('hex'));
  const find = async (id: number): Promise<Known> => {
    const cached = cache.get(id);
    if (cached !== undefined && now() < cached.until) return cached;
    const text = await registry.schemaOf(id);
    const writer = text === null ? null : writerOf(text);
    cache.set(id, { writer, until: writer === null ? now() + unknownForMs : Number.POSITIVE_INFINITY });
    return { writer };
  };
  return {
    register: async (schemas) => {
      for (const { fullName, fingerprint, row } of schemas) {
        const name = fingerprint.toString('hex');
        if (!ids.has(name)) ids.set(name, await registry.register(fullName, row.schema));
      }
      return { ...noRegistry, idOf };
    },
    load: async (values) => {
      const named = [...idsOf(values)];
      // Kept for these values alone: the cache may be too small for a flood of ids, and then it forgets.
      const found = new Map<number, AvroWriter>();
      for (let from = 0; from < named.length; from += askingMax) {
        const part = named.slice(from, from + askingMax);
        const answers = await Promise.all(part.map(async (id) => ({ id, ...(await find(id)) })));
        for (const { id, writer } of answers) if (writer !== null) found.set(id, writer);
      }
      return { idOf, byId: (id) => found.get(id) };
    },
  };
}

function idsOf(values: Iterable<Buffer | null>): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const value of values) {
    const frame = frameOf(value);
    if (frame.kind === 'registered') ids.add(frame.schemaId);
  }
  return ids;
}

/** null: what somebody registered is no record that we can read. */
function writerOf(text: string): AvroWriter | null {
  try {
    return avroWriter(JSON.parse(text));
  } catch {
    return null;
  }
}
