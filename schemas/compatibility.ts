import { avroWriter, type AvroWriter } from './avro/writer.ts';

/** A released version of an event, a command or an outcome. */
export type ReleasedVersion = { readonly type: string; readonly version: number; readonly schema: object };

/**
 * BACKWARD_TRANSITIVE: what any version wrote, every later one reads. History and topics hold all of them for ever.
 * @returns one sentence for each pair that breaks it, and for each gap in the versions
 */
export function incompatibilities(released: readonly ReleasedVersion[]): readonly string[] {
  const byName = Map.groupBy(released, ({ schema }) => avroWriter(schema).fullName);
  return [...byName].flatMap(([name, versions]) => {
    const sorted = versions.toSorted((a, b) => a.version - b.version);
    const gaps = sorted.some(({ version }, index) => version !== index + 1) ? [`${name} lacks a version`] : [];
    const pairs = sorted.flatMap((reader, index) => sorted.slice(0, index).map((writer) => ({ reader, writer })));
    return [...gaps, ...pairs.flatMap(({ reader, writer }) => faultOf(name, reader, writer))];
  });
}

function faultOf(name: string, reader: ReleasedVersion, writer: ReleasedVersion): readonly string[] {
  try {
    avroWriter(reader.schema).type.createResolver(avroWriter(writer.schema).type);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    return [`${name} v${reader.version} does not read v${writer.version}: ${why}`];
  }
}

/** By `<full name>.v<version>`: the CRC-64-AVRO of what was released, hex as in single-object encoding. */
export type Fingerprints = Readonly<Record<string, string>>;

export function fingerprintsOf(released: readonly ReleasedVersion[]): Fingerprints {
  const named = released.map(({ schema, version }) => {
    const writer: AvroWriter = avroWriter(schema);
    return [`${writer.fullName}.v${version}`, writer.fingerprint.toString('hex')] as const;
  });
  return Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What was released is never edited and never withdrawn: bytes that name it are kept for ever. */
export function editedAfterRelease(before: Fingerprints, now: Fingerprints): readonly string[] {
  return Object.entries(before).flatMap(([name, fingerprint]) => {
    if (now[name] === undefined) return [`${name} was released and is gone`];
    return now[name] === fingerprint ? [] : [`${name} was released and is another schema now: add a version instead`];
  });
}
