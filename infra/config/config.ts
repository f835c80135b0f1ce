import { OperationalFailure } from '../failures.ts';
import { Problem } from './kinds.ts';
import { unpaidExpiryOf, unpaidExpiryPrefix, variables } from './variables.ts';
import type { Variable } from './variables.ts';

/** How a bundled simulator behaves: times in ms, rates 0 to 1. */
export type SimulatorConfig = {
  /** 0: any free one. */
  readonly port: number;
  readonly delayMs: number;
  readonly errorRate: number;
  readonly timeoutAfterSuccessRate: number;
};

/** The configuration of a process, valid as a whole. URLs may hold passwords: show them through `redactUrl` only. */
export type Config = {
  readonly port: number;
  readonly host: string;
  readonly auth: 'off';
  readonly dataDir: string;
  /** `embedded:`, `memory:` or postgres://… */
  readonly eventStoreUrl: string;
  /** null: the event store's Postgres; with `memory:` there, memory. */
  readonly readDbUrl: string | null;
  /** null: the event store's own log. */
  readonly feedUrl: string | null;
  /** null: records on Kafka name their schemas themselves. */
  readonly schemaRegistryUrl: string | null;
  /** null: in this process. */
  readonly cacheUrl: string | null;
  /** null: orders are decided in the process that asks; the same for stock. */
  readonly commandsUrl: string | null;
  readonly inventoryUrl: string | null;
  /** The roles behind the origin: each of them `role=url`. */
  readonly upstreams: readonly string[];
  /** null: our simulator, as for the other two. */
  readonly paymentUrl: string | null;
  readonly logisticsUrl: string | null;
  readonly riskUrl: string | null;
  readonly unpaidExpiryMs: number;
  /** By method as in orders, `bank_slip`; others take `unpaidExpiryMs`. */
  readonly unpaidExpiryMsByMethod: Readonly<Record<string, number>>;
  readonly simulators: {
    readonly payment: SimulatorConfig;
    readonly logistics: SimulatorConfig & { readonly deliveryMs: number };
    readonly risk: SimulatorConfig;
  };
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
};

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the whole environment. A variable that is set to nothing is not set.
 * @throws OperationalFailure INVALID_CONFIGURATION naming every problem at once, without secrets
 */
export function readConfig(env: Environment): Config {
  const problems: string[] = [];
  const values = readVariables(env, problems);
  const unpaidExpiryMsByMethod = readExpiries(env, problems);
  const { host, auth, allowInsecure } = values;
  if (host !== undefined && auth === 'off' && allowInsecure === false && !isLoopback(host)) {
    problems.push(`HOST ${host} is not loopback: AUTH=off is refused there unless ALLOW_INSECURE=true`);
  }
  if (!isComplete(values, problems)) {
    throw new OperationalFailure('INVALID_CONFIGURATION', problems.join('; '), { retryable: false });
  }
  return shape(values, unpaidExpiryMsByMethod);
}

/** Whether an address is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** One variable as people see it; `value` is redacted, null where there is none. */
export type ConfigEntry = {
  readonly name: string;
  readonly value: string | null;
  readonly source: 'default' | 'environment';
  readonly expects: string;
  readonly description: string;
};

/** Every variable with what it is now, and where that comes from. Never throws: values are shown as they are, redacted. */
export function describeConfig(env: Environment): readonly ConfigEntry[] {
  const expiries = expiryNames(env).map((name) => unpaidExpiryOf(name.slice(unpaidExpiryPrefix.length)));
  return [...Object.values<Variable>(variables), ...expiries].map((variable) => {
    const { name, kind, description } = variable;
    const text = textOf(env, name);
    const value = text === null ? variable.default : kind.show(text);
    return { name, value, source: text === null ? 'default' : 'environment', expects: kind.expects, description };
  });
}

type Table = typeof variables;
type ValueOf<V> = V extends { readonly default: infer Default } & Variable<infer Value>
  ? Value | (Default extends null ? null : never)
  : never;
type Values = { readonly [Key in keyof Table]: ValueOf<Table[Key]> };

function readVariables(env: Environment, problems: string[]): Partial<Values> {
  const values: Record<string, unknown> = {};
  for (const [key, variable] of Object.entries<Variable>(variables)) {
    const value = read(env, variable);
    if (value instanceof Problem) problems.push(`${variable.name} ${value.message}`);
    else values[key] = value;
  }
  // Each key got the value that its own kind parsed.
  return values;
}

function isComplete(values: Partial<Values>, problems: readonly string[]): values is Values {
  return problems.length === 0;
}

function readExpiries(env: Environment, problems: string[]): Readonly<Record<string, number>> {
  const expiries: Record<string, number> = {};
  for (const name of expiryNames(env)) {
    const method = name.slice(unpaidExpiryPrefix.length);
    const value = read(env, unpaidExpiryOf(method));
    if (value instanceof Problem) problems.push(`${name} ${value.message}`);
    else if (value !== null) expiries[method.toLowerCase()] = value;
  }
  return expiries;
}

function expiryNames(env: Environment): readonly string[] {
  return Object.keys(env)
    .filter((name) => name.length > unpaidExpiryPrefix.length && name.startsWith(unpaidExpiryPrefix))
    .sort();
}

function read<Value>(env: Environment, variable: Variable<Value>): Value | Problem | null {
  const text = textOf(env, variable.name) ?? variable.default;
  return text === null ? null : variable.kind.parse(text);
}

function textOf(env: Environment, name: string): string | null {
  const text = env[name];
  return text === undefined || text === '' ? null : text;
}

function shape(values: Values, unpaidExpiryMsByMethod: Config['unpaidExpiryMsByMethod']): Config {
  const { port, host, auth, dataDir, eventStoreUrl, readDbUrl, unpaidExpiryMs, logLevel } = values;
  const { feedUrl, commandsUrl, inventoryUrl, upstreams, cacheUrl, paymentUrl, logisticsUrl, riskUrl } = values;
  const payment = {
    port: values.paymentPort,
    delayMs: values.paymentDelayMs,
    errorRate: values.paymentErrorRate,
    timeoutAfterSuccessRate: values.paymentTimeoutAfterSuccessRate,
  };
  const logistics = {
    port: values.logisticsPort,
    deliveryMs: values.logisticsDeliveryMs,
    delayMs: values.logisticsDelayMs,
    errorRate: values.logisticsErrorRate,
    timeoutAfterSuccessRate: values.logisticsTimeoutAfterSuccessRate,
  };
  const risk = {
    port: values.riskPort,
    delayMs: values.riskDelayMs,
    errorRate: values.riskErrorRate,
    timeoutAfterSuccessRate: values.riskTimeoutAfterSuccessRate,
  };
  const doors = { port, host, auth, logLevel };
  const gateways = { paymentUrl, logisticsUrl, riskUrl };
  const roles = { commandsUrl, inventoryUrl, upstreams: upstreams ?? [] };
  const parts = { dataDir, eventStoreUrl, readDbUrl, feedUrl, cacheUrl, ...roles, ...gateways };
  return {
    ...doors,
    ...parts,
    schemaRegistryUrl: values.schemaRegistryUrl,
    unpaidExpiryMs,
    unpaidExpiryMsByMethod,
    simulators: { payment, logistics, risk },
  };
}
