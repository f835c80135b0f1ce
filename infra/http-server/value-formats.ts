import { isCurrency } from '../../schemas/money.ts';

/** The formats that schemas of routes may name beside ajv's own; they take the same names in the OpenAPI document. */
export const valueFormats = {
  /** RFC 3339 with an offset, a time that exists, in years that a store can hold (a leap second is none). */
  'date-time': isInstant,
  'iso-4217': isCurrency,
};

const instant = /^(?:19|[2-9]\d)\d{2}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

function isInstant(text: string): boolean {
  if (!instant.test(text)) return false;
  // Date.parse takes February 30 for March 2: the day must come back as it went in.
  const day = text.slice(0, 10);
  return !Number.isNaN(Date.parse(text)) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
