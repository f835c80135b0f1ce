import { Type, type TProperties } from 'typebox';

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

/** A request's body: nothing but these fields. */
export function body<Fields extends TProperties>(fields: Fields) {
  return Type.Object(fields, { additionalProperties: false });
}

export const id = text(255);
export const key = Type.String({ minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' });
export const label = text(1024);
export const amount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const currency = Type.String({ pattern: '^[A-Z]{3}$' });
export const quantity = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
