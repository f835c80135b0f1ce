/** JSON escapes exactly what we look for; an even number of backslashes before it is a text that merely shows an escape. */
const escaped = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

/**
 * Whether a JSON text that JSON.stringify made holds NUL or an unpaired surrogate: no `text` of Postgres can hold the
 * one, and no UTF-8 the other, so a store that took them could not be asked about them.
 */
export function holdsUnstorableText(json: string): boolean {
  // Hardly any text has an escape of this kind at all.
  return json.includes('\\u') && escaped.test(json);
}
