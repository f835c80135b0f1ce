import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { openExemplarGate, type ExemplarGate } from './exemplar-gate.ts';

export type AnsweredRequest = {
  readonly method: string;
  /** The route's pattern, never the path: each id would be a series of its own. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  /** 32 hex digits: the exemplar that leads from a slow bucket to its trace. */
  readonly traceId: string;
};

export type RequestObserver = (request: AnsweredRequest) => void;

type Labels = { http_request_method: string; http_route: string; http_response_status_code: string };
type Series = { readonly labels: Labels; readonly status: { status: string }; readonly gate: ExemplarGate };

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The OpenTelemetry name with its labels, and the two short names that dashboards ask for. */
export function httpMetrics(registry: Registry): RequestObserver {
  const registers = [registry];
  const duration = new Histogram<string>({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of HTTP requests, by method, route and status (OpenTelemetry semantic conventions)',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets,
    enableExemplars: true,
    registers,
  });
  const plain = new Histogram<string>({
    name: 'http_request_duration_seconds',
    help: 'Duration of HTTP requests, all together',
    buckets,
    enableExemplars: true,
    registers,
  });
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'HTTP requests answered, by status',
    labelNames: ['status'],
    registers,
  });
  const seriesOf = seriesCache();
  const plainGate = openExemplarGate(buckets);
  return (request) => {
    const { labels, status, gate } = seriesOf(request);
    const { seconds: value, traceId } = request;
    const nowMs = performance.now();
    if (gate(value, nowMs)) duration.observe({ labels, value, exemplarLabels: { trace_id: traceId } });
    else duration.observe({ labels, value });
    if (plainGate(value, nowMs)) plain.observe({ value, exemplarLabels: { trace_id: traceId } });
    else plain.observe({ value });
    requests.inc(status);
  };
}

/** Label objects are made once a series: routes, methods and statuses are few, and node's parser bounds the methods. */
function seriesCache(): (request: AnsweredRequest) => Series {
  const known = new Map<string, Map<string, Series>>();
  return ({ method, route, status }) => {
    const ofRoute = known.get(route) ?? new Map<string, Series>();
    if (ofRoute.size === 0) known.set(route, ofRoute);
    const key = `${status}${method}`;
    const series = ofRoute.get(key) ?? {
      labels: { http_request_method: method, http_route: route, http_response_status_code: String(status) },
      status: { status: String(status) },
      gate: openExemplarGate(buckets),
    };
    if (!ofRoute.has(key)) ofRoute.set(key, series);
    return series;
  };
}
