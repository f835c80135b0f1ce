/** Every role of the distributed form. They stop from the last to the first: each while those that it asks are there. */
export const roleNames = [
  'simulators',
  'order-commands',
  'inventory',
  'order-queries',
  'event-relay',
  'projector',
  'fulfillment',
  'origin',
] as const;
export type RoleName = (typeof roleNames)[number];

/** One process of a role. */
export type RoleInstance = {
  readonly role: RoleName;
  /** `projector`, or `projector-2` where there are several. */
  readonly name: string;
  readonly port: number;
  readonly url: string;
};

/** The servers behind the roles. */
export type Servers = {
  readonly dataDir: string;
  readonly eventStoreUrl: string;
  /** null: each process caches for itself. */
  readonly cacheUrl: string | null;
  /** `kafka://…` */
  readonly kafkaUrl: string;
};

export type GatewayPorts = { readonly payment: number; readonly logistics: number; readonly risk: number };

/** What each process is told, beside what the stack itself was told. */
export function environmentOf(
  { role, port }: Pick<RoleInstance, 'role' | 'port'>,
  servers: Servers,
  { instances, gateways }: { readonly instances: readonly RoleInstance[]; readonly gateways: GatewayPorts },
): Readonly<Record<string, string>> {
  const urlsOf = (name: RoleName): readonly string[] =>
    instances.filter((instance) => instance.role === name).map(({ url }) => url);
  const upstreams = (['order-commands', 'order-queries', 'inventory', 'projector'] as const).flatMap((name) =>
    urlsOf(name).map((url) => `${name}=${url}`),
  );
  return {
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: servers.dataDir,
    EVENT_STORE_URL: servers.eventStoreUrl,
    ...(servers.cacheUrl === null ? {} : { CACHE_URL: servers.cacheUrl }),
    FEED_URL: servers.kafkaUrl,
    COMMANDS_URL: urlsOf('order-commands')[0] ?? '',
    INVENTORY_URL: urlsOf('inventory')[0] ?? '',
    UPSTREAMS: upstreams.join(','),
    ...gatewayEnvironment(role, gateways),
  };
}

function gatewayEnvironment(role: RoleName, { payment, logistics, risk }: GatewayPorts): Record<string, string> {
  if (role === 'simulators') {
    return { SIM_PAYMENT_PORT: String(payment), SIM_LOGISTICS_PORT: String(logistics), SIM_RISK_PORT: String(risk) };
  }
  return { PAYMENT_URL: localUrl(payment), LOGISTICS_URL: localUrl(logistics), RISK_URL: localUrl(risk) };
}

export function localUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}
