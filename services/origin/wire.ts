import type { Config } from '../../infra/config/config.ts';
import type { Part } from '../../infra/process/part.ts';
import { proxyRoutes } from './proxy.ts';
import { upstreamReadiness } from './readiness.ts';
import { openUpstreams } from './upstreams.ts';

/**
 * One address in front of the roles that answer over HTTP.
 * @throws OperationalFailure INVALID_CONFIGURATION where a role has no URL
 */
export function wireOrigin(config: Pick<Config, 'upstreams'>): Part {
  const upstreams = openUpstreams(config.upstreams);
  return { routes: [proxyRoutes(upstreams)], readiness: upstreamReadiness(upstreams) };
}
