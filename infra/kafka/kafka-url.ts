/** What a `kafka://` URL says. */
export type KafkaAddress = {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  readonly tls: boolean;
  readonly sasl: {
    readonly mechanism: SaslMechanism;
    readonly username: string;
    readonly password: string;
  } | null;
};

type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

const mechanisms: readonly SaslMechanism[] = ['plain', 'scram-sha-256', 'scram-sha-512'];
const brokersMax = 16;

const shape =
  /^kafka:\/\/(?:(?<username>[^:@/?#]*):(?<password>[^@/?#]*)@)?(?<hosts>[^@/?#]+)\/?(?:\?(?<options>[^#]*))?$/i;

/**
 * Reads `kafka://[user:password@]host:port[,host:port…][?tls=true&sasl=scram-sha-512]`. The WHATWG parser knows one host
 * only. User and password are percent-encoded; with them and without `sasl`, it is scram-sha-512.
 * @throws Error whose message says what is wrong, and repeats nothing of the URL: it may hold a password
 */
export function parseKafkaUrl(url: string): KafkaAddress {
  const { username, password, hosts, options } = shape.exec(url)?.groups ?? {};
  if (hosts === undefined) throw new Error('must be kafka://host:port, with more brokers after commas');
  const brokers = hosts.split(',');
  if (brokers.length > brokersMax) throw new Error(`must name at most ${brokersMax} brokers`);
  if (!brokers.every(isBroker)) throw new Error('must name each broker as host:port');
  const { tls, mechanism } = optionsOf(new URLSearchParams(options));
  if (username === undefined || password === undefined) {
    if (mechanism !== null) throw new Error('must hold user:password@ where it names a SASL mechanism');
    return { brokers, tls, sasl: null };
  }
  const sasl = { mechanism: mechanism ?? 'scram-sha-512', username: decoded(username), password: decoded(password) };
  return { brokers, tls, sasl };
}

/** The URL without its password; `***` where it is not one. */
export function redactKafkaUrl(url: string): string {
  const groups = shape.exec(url)?.groups;
  if (groups === undefined) return '***';
  return groups.password === undefined ? url : url.replace(`:${groups.password}@`, ':***@');
}

type Options = { readonly tls: boolean; readonly mechanism: SaslMechanism | null };

function optionsOf(options: URLSearchParams): Options {
  for (const name of options.keys()) {
    if (name !== 'tls' && name !== 'sasl') throw new Error('has an option that is neither tls nor sasl');
  }
  const tls = options.get('tls') ?? 'false';
  if (tls !== 'true' && tls !== 'false') throw new Error('must say tls=true or tls=false');
  const named = options.get('sasl');
  const mechanism = mechanisms.find((each) => each === named) ?? null;
  if (named !== null && mechanism === null) throw new Error(`must name a SASL mechanism of ${mechanisms.join(', ')}`);
  return { tls: tls === 'true', mechanism };
}

function isBroker(text: string): boolean {
  const { port } = /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('must percent-encode user and password');
  }
}
