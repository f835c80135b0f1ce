import { expect, it } from 'vitest';
import { OperationalFailure } from '../failures.ts';
import { openLog } from './open.ts';
import type { LogLevel } from './open.ts';

function capture(level: LogLevel = 'info') {
  const lines: string[] = [];
  const log = openLog({ role: 'test', level, destination: { write: (text) => void lines.push(text) } });
  return { log, lines };
}

it('writes known fields with role, level and time', () => {
  const { log, lines } = capture();
  log.info({ orderId: 'o-1', durationMs: 3 }, 'answered');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    role: 'test',
    orderId: 'o-1',
    durationMs: 3,
    msg: 'answered',
  });
});

it.each([
  [{ body: { email: 'canary@example.org' } }],
  [{ token: 'canary' }],
  [{ headers: { authorization: 'canary' } }],
  [{ reason: { nested: 'canary' } }],
  [
    {
      err: Object.assign(new Error('Key (email)=(canary) exists'), {
        code: '23505',
        detail: 'canary',
        parameters: ['canary'],
      }),
    },
  ],
  [{ error: new SyntaxError('Unexpected token c, "canary" is not valid JSON') }],
  [{ err: new OperationalFailure('STORE_UNAVAILABLE', 'no answer', { retryable: true, cause: new Error('canary') }) }],
])('lets no unknown field, nested value or foreign message through: %#', (fields: object) => {
  const { log, lines } = capture();
  log.error(fields, 'failed');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('canary');
});

it('names the fields that it dropped, so that somebody who misses one finds out', () => {
  const { log, lines } = capture();
  log.info({ customerName: 'x' }, 'm');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ dropped: ['customerName'] });
});

it("keeps our own failures' words, codes and the places of all causes", () => {
  const { log, lines } = capture();
  log.error(
    {
      err: new OperationalFailure('OVERLOADED', '5 wait', {
        retryable: true,
        cause: new TypeError('x is not a function'),
      }),
    },
    'm',
  );
  const { err } = JSON.parse(lines[0] ?? '') as { err: { stack: string[] } };
  expect(err).toMatchObject({
    code: 'OVERLOADED',
    message: 'OVERLOADED: 5 wait',
    cause: { type: 'TypeError', message: 'x is not a function' },
  });
  expect(err.stack[0]).toMatch(/^at .*logging\.test\.ts/);
});

it('says nothing that an error says where a line has no words of its own', () => {
  const { log, lines } = capture();
  log.error(new Error('canary'));
  log.error(new Error('canary'), 'failed');
  log.error({ err: new Error('canary') });
  expect(lines.map((text) => (JSON.parse(text) as { msg: string }).msg)).toEqual(['Error', 'failed', '']);
  expect(lines.join()).not.toContain('canary');
});

it('is silent below its level', () => {
  const { log, lines } = capture('warn');
  log.info('m');
  expect(lines).toEqual([]);
});
