import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { openUpstreams } from '../origin/upstreams.ts';
import { readDeployment, type ComposeService, type Deployment } from './compose-file.ts';
import { compareWithCode } from './compose-rules.ts';

const root = join(import.meta.dirname, '..', '..');
let deployment: Deployment;

beforeAll(async () => {
  deployment = await readDeployment(root);
});

/** The deployment with one service changed. */
function changed(name: string, change: Partial<ComposeService>): Deployment {
  const service = { ...deployment.services[name], ...change };
  return { ...deployment, services: { ...deployment.services, [name]: service } };
}

function withEnvironment(name: string, environment: Readonly<Record<string, string>>): Deployment {
  return changed(name, { environment: { ...deployment.services[name]?.environment, ...environment } });
}

function problemsOf(other: Deployment): readonly string[] {
  return compareWithCode(other, root);
}

describe('compose.yaml', () => {
  it('agrees with the code', () => {
    expect(problemsOf(deployment)).toEqual([]);
  });

  it('leads the origin to every role that answers', () => {
    const words = String(deployment.services.origin?.environment?.UPSTREAMS).split(',');
    expect(openUpstreams(words).of('order-queries')).toEqual(['http://order-queries:8080']);
  });

  it('must name variables that there are, with values that they take', () => {
    expect(problemsOf(withEnvironment('projector', { FEED_URLS: 'x' }))).toEqual([
      'projector: FEED_URLS is no variable of order-center config',
    ]);
    expect(problemsOf(withEnvironment('projector', { CACHE_URL: 'http://redis:6379' })).join()).toContain(
      'CACHE_URL must be URL',
    );
    expect(problemsOf(withEnvironment('projector', { ALLOW_INSECURE: 'false' })).join()).toContain('is not loopback');
  });

  it('must tell each role what npm run stack tells it', () => {
    const { FEED_URL: _, ...environment } = deployment.services.projector?.environment ?? {};
    expect(problemsOf(changed('projector', { environment }))).toEqual(['projector: FEED_URL is not set']);
  });

  it('must name addresses at which something listens', () => {
    expect(problemsOf(withEnvironment('fulfillment', { COMMANDS_URL: 'http://order-commands:8081' }))).toEqual([
      'fulfillment: COMMANDS_URL names order-commands:8081, where nothing listens',
    ]);
    expect(problemsOf(withEnvironment('fulfillment', { PAYMENT_URL: 'http://payments:8081' }))).toEqual([
      'fulfillment: PAYMENT_URL names payments, which is no service',
    ]);
    expect(problemsOf(withEnvironment('inventory', { EVENT_STORE_URL: 'postgres://a:b@postgres:5433/c' }))).toEqual([
      'inventory: EVENT_STORE_URL names postgres:5433, where nothing listens',
    ]);
  });

  it('must run every role, by a file that there is', () => {
    const { 'event-relay': _, ...services } = deployment.services;
    expect(problemsOf({ ...deployment, services })).toEqual([
      'compose.yaml: event-relay does not run services/event-relay/main.ts',
      'prometheus.yml: event-relay is no service',
    ]);
    expect(problemsOf(changed('topics', { command: ['services/topics/main.ts'] }))).toEqual([
      'topics: there is no services/topics/main.ts',
    ]);
  });

  it('must publish ports on loopback alone', () => {
    expect(problemsOf(changed('postgres', { ports: ['5432:5432'] }))).toEqual([
      'postgres: 5432:5432 is not published on 127.0.0.1 alone',
    ]);
  });

  it('must confine every role, and probe it by what the image has', () => {
    expect(problemsOf(changed('projector', { read_only: false, cap_drop: [], user: 'root' }))).toHaveLength(3);
    const curl = { test: ['CMD', 'curl', '-f', 'http://127.0.0.1:8080/readyz'] };
    expect(problemsOf(changed('projector', { healthcheck: curl })).join()).toContain('runs curl');
    const elsewhere = { test: ['CMD', 'node', '-e', "fetch('http://127.0.0.1:8081/healthz')"] };
    expect(problemsOf(changed('projector', { healthcheck: elsewhere }))).toEqual([
      'projector: its healthcheck asks /healthz',
      'projector: its healthcheck asks port 8081, where nothing listens',
    ]);
  });

  it('must mount what there is, and be scraped as it is', () => {
    expect(problemsOf(changed('prometheus', { volumes: ['./infra/deploy/prom:/etc/prometheus:ro'] }))).toEqual([
      'prometheus: there is no ./infra/deploy/prom',
    ]);
    const scraped = deployment.scraped.map((one) => (one.name === 'projector' ? { ...one, port: 9100 } : one));
    expect(problemsOf({ ...deployment, scraped })).toEqual(['prometheus.yml: nothing of projector listens on 9100']);
    expect(problemsOf({ ...deployment, scraped: scraped.slice(1) })).toContain('prometheus.yml: origin is not scraped');
  });
});

describe('the Dockerfile', () => {
  it('must copy what a role needs, and run as nobody special on Node 24', () => {
    const altered = (from: string | RegExp, to: string): readonly string[] =>
      problemsOf({ ...deployment, dockerfile: deployment.dockerfile.replace(from, to) });
    expect(altered('COPY schemas schemas\n', '')).toEqual(['Dockerfile: schemas is not copied']);
    expect(altered('COPY infra infra', 'COPY infra infra\nCOPY library library')).toEqual([
      'Dockerfile: there is no library',
    ]);
    expect(altered('USER node\n', '')).toEqual(['Dockerfile: it runs as root']);
    expect(altered(/node:24/g, 'node:22')).toEqual(['Dockerfile: it is not on Node 24']);
    expect(altered('/livez', '/')).toEqual(['Dockerfile: its healthcheck asks no role']);
  });
});
