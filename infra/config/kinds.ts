import { parseKafkaUrl, redactKafkaUrl } from '../kafka/kafka-url.ts';

/** What a text of the environment may be: how it is read, and how it is shown to people. */
export type Kind<Value> = {
  /** For the documentation: what the text may be. */
  readonly expects: string;
  readonly parse: (text: string) => Value | Problem;
  /** The text without what must not be read over a shoulder or in a log. */
  readonly show: (text: string) => string;
};

/** Why a text is not of its kind, as the end of a sentence that begins with the variable's name. Never holds a secret. */
export class Problem {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export function integer(min: number, max: number): Kind<number> {
  const expects = `integer, ${min} to ${max}`;
  return {
    expects,
    parse: (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : notOne(expects, text);
    },
    show: asItIs,
  };
}

/** A share of calls, 0 to 1. */
export const rate: Kind<number> = {
  expects: 'number, 0 to 1',
  parse: (text) => {
    const value = /^\d(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
    return value <= 1 ? value : notOne(rate.expects, text);
  },
  show: asItIs,
};

export const boolean: Kind<boolean> = {
  expects: 'true or false',
  parse: (text) => {
    if (text === 'true' || text === 'false') return text === 'true';
    return notOne(boolean.expects, text);
  },
  show: asItIs,
};

export function oneOf<const Word extends string>(words: readonly Word[]): Kind<Word> {
  const expects = `one of ${words.join(', ')}`;
  return {
    expects,
    parse: (text) => words.find((word) => word === text) ?? notOne(expects, text),
    show: asItIs,
  };
}

export const host: Kind<string> = {
  expects: 'host name or address',
  parse: (text) => (/^[A-Za-z0-9.:_-]{1,255}$/.test(text) ? text : notOne(host.expects, text)),
  show: asItIs,
};

export const path: Kind<string> = {
  expects: 'path',
  parse: (text) => (text.includes('\0') ? new Problem('must not hold NUL') : text),
  show: asItIs,
};

export const words: Kind<readonly string[]> = {
  expects: 'words, separated by commas',
  parse: (text) => text.split(',').map((word) => word.trim()),
  show: asItIs,
};

type UrlRules = {
  /** As `postgres:`. */
  readonly schemes: readonly string[];
  /** Schemes that are known and not possible yet, with the sentence that says what to do. */
  readonly refused?: Readonly<Record<string, string>>;
};

/** Its problems never repeat the text: it may hold a password. */
export function url({ schemes, refused = {} }: UrlRules): Kind<string> {
  const expects = schemes.length === 0 ? 'not set' : `URL: ${schemes.map(withSlashes).join(', ')}`;
  return {
    expects,
    parse: (text) => {
      const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0].toLowerCase() ?? '';
      const later = refused[scheme];
      if (later !== undefined) return new Problem(later);
      if (!schemes.includes(scheme)) return new Problem(`must be ${expects}`);
      const isBare = bareSchemes.has(scheme);
      if (isBare) return text.length === scheme.length ? text : new Problem(`must be ${scheme} and nothing after it`);
      return URL.parse(text)?.hostname ? text : new Problem('is not a readable URL');
    },
    show: redactUrl,
  };
}

/** One Kafka, by any number of its brokers. */
export const kafkaUrl: Kind<string> = {
  expects: 'URL: kafka://host:port[,host:port…]',
  parse: (text) => {
    try {
      parseKafkaUrl(text);
      return text;
    } catch (error) {
      return new Problem(error instanceof Error ? error.message : 'is not a readable URL');
    }
  },
  show: redactKafkaUrl,
};

/** The URL without its password and without secrets in its query; `***` where it is not even a URL. */
export function redactUrl(text: string): string {
  if (/^[a-z]+:$/.test(text)) return text;
  const parsed = URL.parse(text);
  if (parsed === null) return '***';
  if (parsed.password !== '') parsed.password = '***';
  for (const name of new Set(parsed.searchParams.keys())) {
    if (/pass|secret|token|key/i.test(name)) parsed.searchParams.set(name, '***');
  }
  return parsed.href;
}

const bareSchemes: ReadonlySet<string> = new Set(['embedded:', 'memory:']);

function withSlashes(scheme: string): string {
  return bareSchemes.has(scheme) ? scheme : `${scheme}//…`;
}

const shownMax = 40;

function notOne(expects: string, text: string): Problem {
  const shown = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
  return new Problem(`must be ${expects}, not ${JSON.stringify(shown)}`);
}

function asItIs(text: string): string {
  return text;
}
