import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { readConfig } from '../../infra/config/config.ts';
import { unpaidExpiryPrefix, variables } from '../../infra/config/variables.ts';
import { isOperationalFailure } from '../../infra/failures.ts';
import type { ComposeService, Deployment } from './compose-file.ts';
import { environmentOf, roleNames, type RoleName } from './roles.ts';

/** A container of ours: by its name, with its environment as text. */
type Ours = { readonly name: string; readonly service: ComposeService; readonly env: Readonly<Record<string, string>> };

type Rule = (ours: Ours, deployment: Deployment, root: string) => readonly string[];

/** What compose.yaml, the Dockerfile and Prometheus say that the code does not. @returns a sentence each; empty: they agree */
export function compareWithCode(deployment: Deployment, root: string): readonly string[] {
  const all = Object.entries(deployment.services);
  const ours = all.flatMap(([name, service]) =>
    service.build === undefined ? [] : [{ name, service, env: textsOf(service) }],
  );
  const rules = [commandExists, environmentIsKnown, addressesExist, isConfined, isProbed];
  return [
    ...rolesAreThere(deployment),
    ...ours.flatMap((one) => rules.flatMap((rule) => rule(one, deployment, root))),
    ...all.flatMap(([name, service]) => [...publishedOnLoopback(name, service), ...mountsExist(name, service, root)]),
    ...rolesAreScraped(deployment),
    ...dockerfileFits(deployment, root),
  ];
}

function textsOf({ environment = {} }: ComposeService): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));
}

function rolesAreThere({ services }: Deployment): readonly string[] {
  return roleNames.flatMap((role) => {
    const command = services[role]?.command?.[0];
    return command === mainOf(role) ? [] : [`compose.yaml: ${role} does not run ${mainOf(role)}`];
  });
}

function mainOf(role: RoleName): string {
  return `services/${role}/main.ts`;
}

const commandExists: Rule = ({ name, service }, _, root) => {
  const file = service.command?.[0] ?? '';
  return /^services\/.*\.ts$/.test(file) && existsSync(join(root, file)) ? [] : [`${name}: there is no ${file}`];
};

/** Each name is one of order-center config, each value is valid, and each role is told what npm run stack tells it. */
const environmentIsKnown: Rule = ({ name, env }) => {
  const known = new Set(Object.values(variables).map((variable) => variable.name));
  const unknown = Object.keys(env).filter((key) => !known.has(key) && !key.startsWith(unpaidExpiryPrefix));
  const role = roleNames.find((one) => one === name);
  const wanted = role === undefined ? [] : namesOf(role);
  return [
    ...unknown.map((key) => `${name}: ${key} is no variable of order-center config`),
    ...wanted.filter((key) => env[key] === undefined).map((key) => `${name}: ${key} is not set`),
    ...problemsOf(env).map((problem) => `${name}: ${problem}`),
  ];
};

function namesOf(role: RoleName): readonly string[] {
  const servers = { dataDir: '', eventStoreUrl: '', cacheUrl: '', kafkaUrl: '' };
  const planned = { instances: [], gateways: { payment: 0, logistics: 0, risk: 0 } };
  const names = Object.keys(environmentOf({ role, port: 0 }, servers, planned));
  return role === 'origin' ? names : names.filter((name) => name !== 'UPSTREAMS');
}

function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (isOperationalFailure(error)) return [error.message];
    throw error;
  }
}

/** Every host of every URL is a service, which listens on that port. */
const addressesExist: Rule = ({ name, env }, { services }) =>
  Object.entries(env).flatMap(([key, value]) =>
    [...value.matchAll(/\w+:\/\/(?:[^@/,]*@)?([\w.-]+):(\d+)/g)].flatMap(([, host = '', port = '']) => {
      const service = services[host];
      if (service === undefined) return [`${name}: ${key} names ${host}, which is no service`];
      return portsOf(service).includes(port) ? [] : [`${name}: ${key} names ${host}:${port}, where nothing listens`];
    }),
  );

function portsOf(service: ComposeService): readonly string[] {
  const env = textsOf(service);
  if (service.build === undefined) return service.expose ?? [];
  const simulators = Object.entries(env).filter(([name]) => /^SIM_\w+_PORT$/.test(name));
  return simulators.length > 0 ? simulators.map(([, port]) => port) : [env.PORT ?? ''];
}

const isConfined: Rule = ({ name, service }) => [
  ...(service.read_only === true ? [] : [`${name}: its file system can be written`]),
  ...(service.cap_drop?.includes('ALL') === true ? [] : [`${name}: it keeps capabilities`]),
  ...(service.privileged === true || service.user === 'root' ? [`${name}: it runs as root`] : []),
];

/** By what the image has (Node), at a path that each role serves, on its port. */
const isProbed: Rule = ({ name, service }) => {
  if (service.healthcheck?.disable === true) return [];
  const test = (service.healthcheck?.test ?? []).map((word) => (typeof word === 'string' ? word : 'an object'));
  const [, port = '', path = ''] = /http:\/\/127\.0\.0\.1:(\d+)(\/\w+)/.exec(test.join(' ')) ?? [];
  return [
    ...(test[1] === 'node'
      ? []
      : [`${name}: its healthcheck runs ${test[1] ?? 'nothing'}, which the image may not have`]),
    ...(['/livez', '/readyz'].includes(path) ? [] : [`${name}: its healthcheck asks ${path || 'for no path'}`]),
    ...(portsOf(service).includes(port) ? [] : [`${name}: its healthcheck asks port ${port}, where nothing listens`]),
  ];
};

function publishedOnLoopback(name: string, { ports = [] }: ComposeService): readonly string[] {
  const open = ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port));
  return open.map((port) => `${name}: ${port} is not published on 127.0.0.1 alone`);
}

function mountsExist(name: string, { volumes = [] }: ComposeService, root: string): readonly string[] {
  const folders = volumes.map((volume) => volume.split(':')[0] ?? '').filter((source) => source.startsWith('./'));
  return folders.filter((folder) => !existsSync(join(root, folder))).map((folder) => `${name}: there is no ${folder}`);
}

/** All but the simulators, which have no metrics. */
function rolesAreScraped({ services, scraped }: Deployment): readonly string[] {
  const wanted = roleNames.filter((role) => role !== 'simulators');
  return [
    ...wanted
      .filter((role) => !scraped.some(({ name }) => name === role))
      .map((role) => `prometheus.yml: ${role} is not scraped`),
    ...scraped.flatMap(({ name, port }) => {
      const service = services[name];
      if (service === undefined) return [`prometheus.yml: ${name} is no service`];
      return portsOf(service).includes(String(port)) ? [] : [`prometheus.yml: nothing of ${name} listens on ${port}`];
    }),
  ];
}

/** What a role imports or reads when it runs. */
const neededInImage = ['schemas', 'infra', 'projections', 'services', 'package.json', 'docs/openapi.json'];

function dockerfileFits({ dockerfile }: Deployment, root: string): readonly string[] {
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  const copied = [...last.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '));
  const user = /^USER (\S+)$/m.exec(last)?.[1] ?? 'root';
  const probe = /HEALTHCHECK[\s\S]*?CMD \[(.*)\]/.exec(last)?.[1] ?? '';
  return [
    ...(/^FROM node:24\S* AS /m.test(dockerfile) && /^\nFROM node:24/.test(last)
      ? []
      : ['Dockerfile: it is not on Node 24']),
    ...neededInImage.filter((path) => !copied.includes(path)).map((path) => `Dockerfile: ${path} is not copied`),
    ...copied.filter((path) => !existsSync(join(root, path))).map((path) => `Dockerfile: there is no ${path}`),
    ...(user === 'root' ? ['Dockerfile: it runs as root'] : []),
    ...(/^"node"/.test(probe) && /\/(livez|readyz)/.test(probe) ? [] : ['Dockerfile: its healthcheck asks no role']),
  ];
}
