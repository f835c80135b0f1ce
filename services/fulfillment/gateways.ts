import { openLogistics } from '../../infra/logistics/open.ts';
import type { Logistics } from '../../infra/logistics/port.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { openPayments } from '../../infra/payments/open.ts';
import type { Payments } from '../../infra/payments/port.ts';
import { defaultLimits, protect, type Observer } from '../../infra/resilience/protect.ts';
import { openRisk } from '../../infra/risk/open.ts';
import type { Risk } from '../../infra/risk/port.ts';

export type GatewayUrls = { readonly payment: string; readonly logistics: string; readonly risk: string };

export type Gateways = { readonly payments: Payments; readonly logistics: Logistics; readonly risk: Risk };

/** The gateways, protected. Every limit is written out here. */
export function openGateways({ payment, logistics, risk }: GatewayUrls, metrics: Metrics): Gateways {
  const observer = observing(metrics);
  return {
    payments: protect(openPayments(payment), { ...defaultLimits, name: 'payment', observer }),
    logistics: protect(openLogistics(logistics), { ...defaultLimits, name: 'logistics', observer }),
    risk: protect(openRisk(risk), { ...defaultLimits, name: 'risk', observer }),
  };
}

const openness = { closed: 0, 'half-open': 0.5, open: 1 } as const;

function observing(metrics: Metrics): Observer {
  // Each is there before its first call: closed.
  const states = new Map<string, number>(['payment', 'logistics', 'risk'].map((name) => [name, openness.closed]));
  for (const name of states.keys()) metrics.count('retries_total', name, 0);
  metrics.watch('breaker_open', () => [...states].map(([of, value]) => ({ of, value })));
  return {
    onAttempt: (attempt) => {
      metrics.observeCall(attempt);
      if (attempt.number > 1) metrics.count('retries_total', attempt.dependency);
    },
    onStateChange: ({ dependency, state }) => states.set(dependency, openness[state]),
  };
}
