import { Registry } from 'prom-client';
import type { Metric, OpenMetricsContentType } from 'prom-client';
import { formatFor } from './accepted-format.ts';

/** A scrape's answer, ready to send. */
export type Exposition = { readonly contentType: string; readonly body: string };

export type Exposer = {
  readonly registry: Registry;
  /** In the format that an `Accept` header asks for; OpenMetrics where it leaves the choice. */
  readonly expose: (accept?: string) => Promise<Exposition>;
};

/**
 * One set of metrics in two text formats: OpenMetrics carries exemplars, and what cannot read it (promtool 2.42 among
 * others) asks for the plain format.
 */
export function openExposer(): Exposer {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  // prom-client's types let metrics join only a registry of its older text format; the classes are the same.
  const joined = registry as unknown as Registry;
  return {
    registry: joined,
    expose: async (accept) => {
      const shown = formatFor(accept) === 'openmetrics' ? joined : plainView(joined);
      return { contentType: shown.contentType, body: await shown.metrics() };
    },
  };
}

/**
 * The same metrics for a registry of the plain format. prom-client keeps the format by registry, and rendering
 * OpenMetrics takes `_total` off the counters' own names: here each metric is shown under the name that it was given.
 */
function plainView(registry: Registry): Registry {
  const view = new Registry();
  for (const metric of registry.getMetricsAsArray() as unknown as readonly RegisteredMetric[]) {
    const name = metric.type === 'counter' ? `${metric.name.replace(/_total$/, '')}_total` : metric.name;
    const named = { name, get: async () => ({ ...(await metric.get()), name }) };
    view.registerMetric(named as unknown as Metric);
  }
  return view;
}

/** What prom-client's registry really holds; its types show the fields that do not change. */
type RegisteredMetric = { readonly name: string; readonly type: string; get(): Promise<object> };
