/**
 * Redocly takes every payload for a JSON Schema, also where its `schemaFormat` says Avro. Here an Avro schema is any value;
 * that it is one is asked of the .avsc files themselves (schemas.test.ts), of which the document holds copies.
 */
export default function avroPayloads() {
  return {
    id: 'avro-payloads',
    typeExtension: {
      async3: (types) => {
        const { MultiFormatSchema } = types;
        return {
          ...types,
          MultiFormatSchema: { ...MultiFormatSchema, properties: { ...MultiFormatSchema.properties, schema: {} } },
        };
      },
    },
  };
}
