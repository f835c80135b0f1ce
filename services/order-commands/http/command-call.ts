import type { HttpRequest } from '../../../infra/http-server/app.ts';
import { isDryRun } from '../../../infra/http-server/dry-run.ts';
import { readIdempotencyKey, readIfMatch, readTenant } from '../../../infra/http-server/request-headers.ts';
import type { CommandCall } from '../open.ts';

/** @throws RequestRefused INVALID_TENANT, IDEMPOTENCY_KEY_REQUIRED, IDEMPOTENCY_KEY_INVALID, INVALID_IF_MATCH */
export function callOf(request: HttpRequest): CommandCall {
  return {
    tenantId: readTenant(request),
    commandId: readIdempotencyKey(request),
    correlationId: request.id,
    expectedVersion: readIfMatch(request),
    dryRun: isDryRun(request),
  };
}
