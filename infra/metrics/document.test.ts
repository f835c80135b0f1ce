import { describe, expect, it } from 'vitest';
import { describedMetrics, isOf, metricsDocument, readAlerts } from './document.ts';
import { openMetrics } from './open.ts';
import type { OperationsCounter, OperationsGauge } from './operations-metrics.ts';
import { parseOpenMetrics } from './test-open-metrics.ts';
import { lintMetrics, promtool, promtoolMissing } from './test-promtool.ts';

describe('the metrics', () => {
  it('are documented as they are: npm run generate writes docs/metrics.md', () => {
    const { wanted, found } = metricsDocument();
    expect(found).toBe(wanted);
    expect(found).toContain('| `order_created_total` ');
  });

  it('are named and described as their users expect', () => {
    for (const { name, type, help } of describedMetrics()) {
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(help).not.toBe('');
    }
  });

  it('are OpenMetrics from the first scrape, before anything has happened', async () => {
    const families = parseOpenMetrics(await openMetrics().text());
    expect(families.map(({ name }) => name).sort()).toEqual(
      describedMetrics()
        .map(({ name }) => name.replace(/_total$/, ''))
        .sort(),
    );
  });
});

describe('the plain format', () => {
  it('passes promtool check metrics, with every series that there can be', async (context) => {
    const metrics = openMetrics();
    const traceId = '0'.repeat(32);
    metrics.observeRequest({ method: 'GET', route: '/x', status: 200, seconds: 1, traceId });
    metrics.observeCall({ dependency: 'payment', outcome: 'answered', durationMs: 1 });
    for (const { name, type, labels } of describedMetrics()) {
      const of = labels.map((label) => `some "${label}"\\\n`);
      if (type === 'gauge') metrics.watch(name as OperationsGauge, () => [{ of, value: 1 }]);
      else if (type === 'counter') metrics.count(name as OperationsCounter, of);
    }
    const { body } = await metrics.expose('text/plain');
    expect(body).toMatch(/^saga_steps_total\{step="some \\"step\\"\\\\\\n",/m);
    const complaints = lintMetrics(body);
    if (complaints === null) context.skip(promtoolMissing);
    expect(complaints).toEqual([]);
  });
});

describe('the alerts', () => {
  it('read only metrics that exist', () => {
    const alerts = readAlerts();
    expect(alerts.length).toBeGreaterThan(10);
    const known = describedMetrics().map(({ name }) => name);
    for (const { name, expression } of alerts) {
      const words = expression.replace(/\{[^}]*\}|by \([^)]*\)/g, '').match(/[a-z][a-z0-9_]*_[a-z0-9_]+/g) ?? [];
      const unknown = words.filter(
        (word) => word !== 'histogram_quantile' && !known.some((metric) => isOf(metric, word)),
      );
      expect([name, unknown]).toEqual([name, []]);
    }
  });

  it.for([
    ['check', 'alerts.yml'],
    ['test', 'alerts.test.yml'],
  ])('pass promtool %s rules %s', ([verb = '', file = ''], context) => {
    const answer = promtool([verb, 'rules', file]);
    if (answer === null) context.skip(promtoolMissing);
    else expect(answer).toMatchObject({ ok: true });
  });
});
