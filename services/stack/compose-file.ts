import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What this check reads of a service in compose.yaml. */
export type ComposeService = {
  readonly build?: unknown;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly expose?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly user?: string;
  readonly privileged?: boolean;
};

/** How the system is deployed on containers, as it is written down. */
export type Deployment = {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly dockerfile: string;
  /** Names that Prometheus resolves, each with its port. */
  readonly scraped: readonly { readonly name: string; readonly port: number }[];
};

export async function readDeployment(root: string): Promise<Deployment> {
  const textOf = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
  const compose = parse(withDefaults(await textOf('compose.yaml')), { merge: true }) as Pick<Deployment, 'services'>;
  const prometheus = parse(await textOf('infra/deploy/prometheus/prometheus.yml')) as Prometheus;
  const discovered = prometheus.scrape_configs.flatMap(({ dns_sd_configs: configs = [] }) => configs);
  return {
    services: compose.services,
    dockerfile: await textOf('Dockerfile'),
    scraped: discovered.flatMap(({ names, port }) => names.map((name) => ({ name, port }))),
  };
}

type Prometheus = {
  readonly scrape_configs: readonly {
    readonly dns_sd_configs?: readonly { readonly names: readonly string[]; readonly port: number }[];
  }[];
};

/** `${NAME:-default}` as it is where NAME is not set. */
function withDefaults(text: string): string {
  return text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
}
