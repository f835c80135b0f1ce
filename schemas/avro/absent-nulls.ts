import type avro from 'avsc';

type Field = { readonly name: string; readonly type: avro.Type; defaultValue(): unknown };
type TypeParts = {
  readonly itemsType: avro.Type;
  readonly valuesType: avro.Type;
  readonly fields: readonly Field[];
  readonly types: readonly avro.Type[];
};

/**
 * A decoded value as JSON says it: a field that is null by default is left out, a null that has to be said stays. So one
 * payload has one hash on every door. Unions are of null and one other type (schemas.test.ts).
 */
export function leaveOutNulls(type: avro.Type, value: unknown): unknown {
  const parts = type as unknown as TypeParts;
  switch (type.typeName) {
    case 'record':
      return Object.fromEntries(
        parts.fields.flatMap((field) => {
          const member = (value as Readonly<Record<string, unknown>>)[field.name];
          if (member === null && field.defaultValue() === null) return [];
          return [[field.name, leaveOutNulls(field.type, member)]];
        }),
      );
    case 'array':
      return (value as readonly unknown[]).map((item) => leaveOutNulls(parts.itemsType, item));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as object).map(([key, member]) => [key, leaveOutNulls(parts.valuesType, member)]),
      );
    case 'union:unwrapped': {
      const other = parts.types.find((branch) => branch.typeName !== 'null');
      return value === null || other === undefined ? value : leaveOutNulls(other, value);
    }
    default:
      return value;
  }
}
