import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

import { describeConfig, readConfig } from './config.ts';
import { configurationMarkdown } from './documentation.ts';

describe('the configuration', () => {
  it('is the documented default in an empty environment', () => {
    expect(readConfig({})).toEqual({
      port: 8080,
      host: '127.0.0.1',
      auth: 'off',
      dataDir: '.data',
      eventStoreUrl: 'embedded:',
      readDbUrl: null,
      feedUrl: null,
      cacheUrl: null,
      paymentUrl: null,
      logisticsUrl: null,
      riskUrl: null,
      schemaRegistryUrl: null,
      commandsUrl: null,
      inventoryUrl: null,
      upstreams: [],
      unpaidExpiryMs: 900_000,
      unpaidExpiryMsByMethod: {},
      simulators: { payment: calm, logistics: { ...calm, deliveryMs: 200 }, risk: calm },
      logLevel: 'info',
    });
  });

  it('names every problem at once, in one line', () => {
    const message = problemsOf({
      PORT: '80800',
      LOG_LEVEL: 'loud',
      SIM_RISK_ERROR_RATE: '1.1',
      UNPAID_EXPIRY_MS: '-1',
    });
    expect(message).toContain('PORT must be integer, 0 to 65535, not "80800"');
    expect(message).toContain('LOG_LEVEL must be one of trace,');
    expect(message).toContain('SIM_RISK_ERROR_RATE must be number, 0 to 1');
    expect(message).toContain('UNPAID_EXPIRY_MS must be integer');
    expect(message).not.toContain('\n');
  });

  it.each(['1e3', '0x10', '1.5', ' 1', '१', '99999999999999999999'])('does not take %j for a port', (text) => {
    expect(problemsOf({ PORT: text })).toContain('PORT must be');
  });

  it('takes a variable that is set to nothing as not set', () => {
    expect(readConfig({ PORT: '', READ_DB_URL: '' })).toEqual(readConfig({}));
  });

  it('reads an expiry for each method of payment', () => {
    const { unpaidExpiryMsByMethod } = readConfig({ UNPAID_EXPIRY_MS_BANK_SLIP: '259200000', UNPAID_EXPIRY_MS_: '1' });
    expect(unpaidExpiryMsByMethod).toEqual({ bank_slip: 259_200_000 });
    expect(problemsOf({ UNPAID_EXPIRY_MS_CARD: 'soon' })).toContain('UNPAID_EXPIRY_MS_CARD must be');
  });

  it('leaves variables alone that only look similar', () => {
    expect(readConfig({ UNPAID_EXPIRY: 'x', PORTS: 'y', EVENT_STORE: 'z' })).toEqual(readConfig({}));
  });

  it('refuses to be open to the network without authentication, unless told', () => {
    expect(problemsOf({ HOST: '0.0.0.0' })).toContain('AUTH=off is refused');
    expect(readConfig({ HOST: '0.0.0.0', ALLOW_INSECURE: 'true' }).host).toBe('0.0.0.0');
    for (const HOST of ['localhost', '127.9.9.9', '::1']) expect(readConfig({ HOST }).host).toBe(HOST);
    expect(problemsOf({ HOST: '127.evil.example' })).toContain('AUTH=off is refused');
  });

  it.each([['EVENT_STORE_URL', 'esdb://store:2113']])('says that %s=%s is not possible yet', (name, value) => {
    expect(problemsOf({ [name]: value })).toMatch(new RegExp(`${name} is .*, which this version does not speak yet: `));
  });

  it('takes one Kafka by any number of its brokers, and shows no password of it', () => {
    for (const FEED_URL of ['kafka://b:9092', 'kafka://b-1:9092,b-2:9093,[::1]:9094', 'kafka://u:p@b:9092?tls=true']) {
      expect(readConfig({ FEED_URL }).feedUrl).toBe(FEED_URL);
    }
    expect(problemsOf({ FEED_URL: 'kafka://b' })).toContain('FEED_URL must name each broker as host:port');
    expect(problemsOf({ FEED_URL: 'redis://b:1' })).toContain('FEED_URL must be kafka://host:port');
    for (const FEED_URL of ['kafka://me:hunter2@b:9092', 'kafka://me:hunter2@', 'kafka://me:hunter2@b']) {
      const list = describeConfig({ FEED_URL });
      expect(JSON.stringify(list)).not.toContain('hunter2');
    }
  });

  it('takes a Redis, plain or by TLS, for the cache, and nothing else', () => {
    for (const CACHE_URL of ['redis://cache:6379/1', 'rediss://u:p@cache', 'memory:']) {
      expect(readConfig({ CACHE_URL }).cacheUrl).toBe(CACHE_URL);
    }
    expect(problemsOf({ CACHE_URL: 'http://cache' })).toContain('CACHE_URL must be URL: ');
    expect(problemsOf({ CACHE_URL: 'redis:///1' })).toContain('CACHE_URL is not a readable URL');
  });

  it.each(['mysql://a/b', 'postgres', 'postgres://', 'embedded:/x', '//host/x'])(
    'refuses %s as event store',
    (text) => {
      expect(problemsOf({ EVENT_STORE_URL: text })).toContain('EVENT_STORE_URL ');
    },
  );

  it('shows no password, neither in a problem nor in the list', () => {
    const secret = 'hunter2';
    const broken = { EVENT_STORE_URL: `mysql://me:${secret}@db/x`, READ_DB_URL: `postgres://me:${secret}@:x/` };
    expect(problemsOf(broken)).not.toContain(secret);
    const env = { EVENT_STORE_URL: `postgres://me:${secret}@db/x?sslpassword=${secret}`, TEST_POSTGRES_URL: secret };
    const list = describeConfig({ ...env, PAYMENT_URL: `https://gw/?api_key=${secret}` });
    expect(JSON.stringify(list)).not.toContain(secret);
    expect(list.find(({ name }) => name === 'EVENT_STORE_URL')).toMatchObject({
      value: 'postgres://me:***@db/x?sslpassword=***',
      source: 'environment',
    });
  });
});

describe('docs/configuration.md', () => {
  it('is what the table of variables says (npx order-center config --markdown > docs/configuration.md)', async () => {
    const file = new URL('../../docs/configuration.md', import.meta.url);
    expect(await readFile(file, 'utf8')).toBe(configurationMarkdown());
  });
});

const calm = { port: 0, delayMs: 20, errorRate: 0, timeoutAfterSuccessRate: 0 };

function problemsOf(env: Readonly<Record<string, string>>): string {
  try {
    readConfig(env);
  } catch (error) {
    return String(error);
  }
  return 'no problem';
}
