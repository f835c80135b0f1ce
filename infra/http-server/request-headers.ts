import { parseCommandId, parseTenantId } from '../../schemas/ids.ts';
import type { CommandId, TenantId } from '../../schemas/ids.ts';
import type { HttpRequest } from './app.ts';
import { RequestRefused } from './problem.ts';

export const defaultTenant = 'default' as TenantId;

/** @throws RequestRefused INVALID_TENANT */
export function readTenant({ headers }: HttpRequest): TenantId {
  const given = headers['x-tenant-id'];
  if (given === undefined) return defaultTenant;
  const tenantId = typeof given === 'string' ? parseTenantId(given) : null;
  if (tenantId === null)
    throw new RequestRefused('INVALID_TENANT', 'X-Tenant-Id is 1 to 64 of A-Z, a-z, 0-9, _ and -.');
  return tenantId;
}

/** @throws RequestRefused IDEMPOTENCY_KEY_REQUIRED, IDEMPOTENCY_KEY_INVALID */
export function readIdempotencyKey({ headers }: HttpRequest): CommandId {
  const given = headers['idempotency-key'];
  if (given === undefined || given === '') {
    throw new RequestRefused(
      'IDEMPOTENCY_KEY_REQUIRED',
      'Send Idempotency-Key with every POST, and repeat it in a retry.',
    );
  }
  // Node joins a repeated header with ", ": the space makes it malformed, as it should be.
  const commandId = typeof given === 'string' ? parseCommandId(given) : null;
  if (commandId === null) {
    throw new RequestRefused('IDEMPOTENCY_KEY_INVALID', 'Idempotency-Key is 1 to 255 visible ASCII characters.');
  }
  return commandId;
}

const etag = /^"(\d{1,15})"$/;

/**
 * The version that the caller decided on; undefined where any will do (no If-Match, or `*`).
 * @throws RequestRefused INVALID_IF_MATCH
 */
export function readIfMatch({ headers }: HttpRequest): number | undefined {
  const given = headers['if-match'];
  if (given === undefined || given === '*') return undefined;
  const version = etag.exec(given)?.[1];
  if (version === undefined) throw new RequestRefused('INVALID_IF_MATCH', 'If-Match is "<version>" or *.');
  return Number(version);
}
