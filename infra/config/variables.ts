import { boolean, host, integer, kafkaUrl, oneOf, path, rate, url, words } from './kinds.ts';
import type { Kind } from './kinds.ts';

/** One variable of the environment. Parsing, `order-center config` and docs/configuration.md come from this one table. */
export type Variable<Value = unknown> = {
  readonly name: string;
  readonly kind: Kind<Value>;
  /** As it would be written in the environment; null: none. */
  readonly default: string | null;
  readonly description: string;
};

type Optional<Value> = Variable<Value> & { readonly default: null };
type Defaulted<Value> = Variable<Value> & { readonly default: string };

const dayMs = 86_400_000;
const expiryKind = integer(1, 365 * dayMs);

const postgres = ['postgres:', 'postgresql:'];
const http = ['http:', 'https:'];
const esdbLater = { 'esdb:': 'is esdb://, which this version does not speak yet: use postgres:// or embedded:' };

/** By the name of their value in the code. */
export const variables = {
  port: defaulted('PORT', '8080', integer(0, 65_535), 'Port of the HTTP door; 0 takes a free one.'),
  host: defaulted('HOST', '127.0.0.1', host, 'Address that the doors listen on.'),
  auth: defaulted(
    'AUTH',
    'off',
    oneOf(['off']),
    'Who may call: `off` trusts every caller, and is refused on a HOST that is not loopback unless ALLOW_INSECURE=true.',
  ),
  allowInsecure: defaulted(
    'ALLOW_INSECURE',
    'false',
    boolean,
    'Allows AUTH=off on any HOST: only behind something else that keeps strangers out.',
  ),
  dataDir: defaulted('DATA_DIR', '.data', path, 'Folder of all that one process keeps; one running system each.'),
  eventStoreUrl: defaulted(
    'EVENT_STORE_URL',
    'embedded:',
    url({ schemes: ['embedded:', 'memory:', ...postgres], refused: esdbLater }),
    'The event store, the only truth: `embedded:` is a Postgres of our own under DATA_DIR, `memory:` forgets at exit.',
  ),
  readDbUrl: optional(
    'READ_DB_URL',
    url({ schemes: ['memory:', ...postgres], refused: esdbLater }),
    "Where views live; the event store's Postgres if absent.",
  ),
  feedUrl: optional(
    'FEED_URL',
    kafkaUrl,
    "A Kafka: views of single orders read events there, as the relay publishes them, and commands of publishers come from there. If absent, the event store's own log, and no such commands.",
  ),
  schemaRegistryUrl: optional(
    'SCHEMA_REGISTRY_URL',
    url({ schemes: http }),
    "A schema registry with Confluent's API, for records on Kafka; they name their schemas by fingerprint if absent.",
  ),
  cacheUrl: optional(
    'CACHE_URL',
    url({ schemes: ['memory:', 'redis:', 'rediss:'] }),
    'Where order snapshots are cached: redis://[user:password@]host[:port][/database]; in process if absent.',
  ),
  commandsUrl: optional(
    'COMMANDS_URL',
    url({ schemes: http }),
    'The order-commands role that sagas ask; in process if absent.',
  ),
  inventoryUrl: optional(
    'INVENTORY_URL',
    url({ schemes: http }),
    'The inventory role that sagas ask; in process if absent.',
  ),
  upstreams: optional(
    'UPSTREAMS',
    words,
    'The origin: what it leads to, as order-commands=http://…,order-queries=http://…; a role may occur several times.',
  ),
  paymentUrl: optional('PAYMENT_URL', url({ schemes: http }), 'The payment gateway; our simulator if absent.'),
  logisticsUrl: optional('LOGISTICS_URL', url({ schemes: http }), 'The carrier; our simulator if absent.'),
  riskUrl: optional('RISK_URL', url({ schemes: http }), 'The risk check; our simulator if absent.'),
  unpaidExpiryMs: defaulted('UNPAID_EXPIRY_MS', '900000', expiryKind, 'An order that is not paid by then expires.'),
  ...simulator('payment'),
  ...simulator('logistics'),
  logisticsDeliveryMs: defaulted(
    'SIM_LOGISTICS_DELIVERY_MS',
    '200',
    integer(0, 60_000),
    'How long the logistics simulator takes from dispatch to delivery.',
  ),
  ...simulator('risk'),
  logLevel: defaulted(
    'LOG_LEVEL',
    'info',
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'The least severe log line that is written.',
  ),
  testPostgresUrl: optional(
    'TEST_POSTGRES_URL',
    url({ schemes: postgres }),
    'Tests: a Postgres whose user may create databases; an embedded one if absent.',
  ),
  testRedisUrl: optional(
    'TEST_REDIS_URL',
    url({ schemes: ['redis:', 'rediss:'] }),
    "Tests: a Redis to put keys into; the machine's redis-server if absent.",
  ),
  testKafkaBrokers: optional(
    'TEST_KAFKA_BROKERS',
    words,
    "Tests: host:port of a Kafka to make topics in; Apache Kafka on the machine's Java if absent.",
  ),
  testRegistryUrl: optional(
    'TEST_REGISTRY_URL',
    url({ schemes: http }),
    "Tests: a schema registry with Confluent's API; Apicurio on the machine's Java if absent.",
  ),
  requireBackends: optional('REQUIRE_BACKENDS', words, 'Tests: backends whose absence is a failure, not a skip.'),
} as const;

/** UNPAID_EXPIRY_MS_BANK_SLIP and its like: a variable for each method of payment. */
export const unpaidExpiryPrefix = 'UNPAID_EXPIRY_MS_';

export function unpaidExpiryOf(method: string): Variable<number> {
  const description = 'UNPAID_EXPIRY_MS of orders with a payment by this method, as UNPAID_EXPIRY_MS_BANK_SLIP.';
  return { name: `${unpaidExpiryPrefix}${method}`, kind: expiryKind, default: null, description };
}

type SimulatorName = 'payment' | 'logistics' | 'risk';

function simulator<Name extends SimulatorName>(
  name: Name,
): {
  readonly [
    Key in `${Name}Port` | `${Name}DelayMs` | `${Name}ErrorRate` | `${Name}TimeoutAfterSuccessRate`
  ]: Defaulted<number>;
} {
  const prefix = `SIM_${name.toUpperCase()}`;
  const rows = {
    [`${name}Port`]: defaulted(
      `${prefix}_PORT`,
      '0',
      integer(0, 65_535),
      `Port of the ${name} simulator; 0 takes a free one.`,
    ),
    [`${name}DelayMs`]: defaulted(
      `${prefix}_DELAY_MS`,
      '20',
      integer(0, 60_000),
      `How long the ${name} simulator takes for an answer.`,
    ),
    [`${name}ErrorRate`]: defaulted(
      `${prefix}_ERROR_RATE`,
      '0',
      rate,
      `Share of calls that the ${name} simulator fails without effect.`,
    ),
    [`${name}TimeoutAfterSuccessRate`]: defaulted(
      `${prefix}_TIMEOUT_AFTER_SUCCESS_RATE`,
      '0',
      rate,
      `Share of calls that the ${name} simulator carries out and does not answer.`,
    ),
  };
  // The keys are built from the name just above; the compiler cannot follow computed keys.
  return rows as ReturnType<typeof simulator<Name>>;
}

function defaulted<Value>(
  ...[name, text, kind, description]: readonly [string, string, Kind<Value>, string]
): Defaulted<Value> {
  return { name, kind, default: text, description };
}

function optional<Value>(name: string, kind: Kind<Value>, description: string): Optional<Value> {
  return { name, kind, default: null, description };
}
