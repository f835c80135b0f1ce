import type { ReadinessCheck } from '../../infra/http-server/health.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { upstreamRoles, type UpstreamRole } from './routing.ts';
import type { Upstreams } from './upstreams.ts';

/** A little less than what the probe of the origin waits for. */
const askMaxMs = 1_400;

/** The origin is ready when of each role behind it one is. */
export function upstreamReadiness(upstreams: Upstreams): readonly ReadinessCheck[] {
  return upstreamRoles.map((role) => ({ name: role, check: () => someReady(role, upstreams.of(role)) }));
}

async function someReady(role: UpstreamRole, urls: readonly string[]): Promise<void> {
  try {
    await Promise.any(urls.map(ready));
  } catch (cause) {
    throw new OperationalFailure('ROLE_UNAVAILABLE', role, { retryable: true, cause });
  }
}

async function ready(url: string): Promise<void> {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(askMaxMs) });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`${url} is not ready`);
}
