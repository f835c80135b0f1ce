import { isIsoTime } from '../../schemas/iso-time.ts';
import { isCurrency } from '../../schemas/money.ts';

/** The formats that schemas of routes may name beside ajv's own; they take the same names in the OpenAPI document. */
export const valueFormats = {
  'date-time': isIsoTime,
  'iso-4217': isCurrency,
};
