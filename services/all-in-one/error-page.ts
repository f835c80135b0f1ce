import { errorCodes, errorRow } from '../../schemas/error-codes.ts';
import type { ErrorCode } from '../../schemas/error-codes.ts';

/** docs/errors.md: every code of the one table, for readers. */
export function errorPage(): string {
  const rows = (Object.keys(errorCodes) as ErrorCode[]).map((code) => {
    const { status, title, help, durable } = errorRow(code);
    return `| \`${code}\` | ${status} | ${title} | ${help} | ${durable === true ? 'yes' : ''} |`;
  });
  return [
    '# Errors',
    '',
    'Generated from `schemas/error-codes.ts` by `npm run generate`. On HTTP an error is an RFC 9457 problem with',
    '`type` = `/docs/errors/<code>`; `errors[]` names fields by JSON pointer, `traceId` finds the log line. A durable',
    'refusal is the answer to its command for ever: the same Idempotency-Key gets it again.',
    '',
    '| code | status | means | what to do | durable |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
