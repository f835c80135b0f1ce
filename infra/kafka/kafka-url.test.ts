import { expect, it } from 'vitest';
import { parseKafkaUrl, redactKafkaUrl } from './kafka-url.ts';

it('reads one broker or several, with TLS and a user where they are named', () => {
  expect(parseKafkaUrl('kafka://127.0.0.1:9092')).toEqual({ brokers: ['127.0.0.1:9092'], tls: false, sasl: null });
  expect(parseKafkaUrl('kafka://b-1.example:9092,b-2.example:9093,[::1]:9094/')).toMatchObject({
    brokers: ['b-1.example:9092', 'b-2.example:9093', '[::1]:9094'],
  });
  expect(parseKafkaUrl('kafka://me:p%40ss%2C1@b:9093,c:9093?tls=true&sasl=plain')).toEqual({
    brokers: ['b:9093', 'c:9093'],
    tls: true,
    sasl: { mechanism: 'plain', username: 'me', password: 'p@ss,1' },
  });
  expect(parseKafkaUrl('kafka://me:x@b:9093').sasl).toMatchObject({ mechanism: 'scram-sha-512' });
});

it.each([
  ['http://b:1', 'must be kafka://'],
  ['kafka://', 'must be kafka://'],
  ['kafka://b', 'host:port'],
  ['kafka://b:0', 'host:port'],
  ['kafka://b:65536', 'host:port'],
  ['kafka://b:1,', 'host:port'],
  ['kafka://b:1/topic', 'must be kafka://'],
  ['kafka://b:1#x', 'must be kafka://'],
  ['kafka://b:1?acks=1', 'neither tls nor sasl'],
  ['kafka://b:1?tls=yes', 'tls=true'],
  ['kafka://b:1?sasl=plain', 'user:password@'],
  ['kafka://me:x@b:1?sasl=gssapi', 'SASL mechanism'],
  ['kafka://me:%zz@b:1', 'percent-encode'],
  [`kafka://${Array.from({ length: 17 }, () => 'b:1').join(',')}`, 'at most 16'],
])('says what is wrong with %s', (url, problem) => {
  expect(() => parseKafkaUrl(url)).toThrow(problem);
});

it('never shows a password', () => {
  expect(redactKafkaUrl('kafka://me:hunter2@b:1?tls=true')).toBe('kafka://me:***@b:1?tls=true');
  expect(redactKafkaUrl('kafka://b:1')).toBe('kafka://b:1');
  for (const broken of [
    'kafka://me:hunter2@b',
    'kafka://me:hunter2@',
    'kafka://hunter2@b:1',
    'kafka://me:hunter2@b:x',
  ]) {
    expect(redactKafkaUrl(broken)).not.toContain('hunter2');
    expect(() => parseKafkaUrl(broken)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') as string }) as Error,
    );
  }
});
