import type { Config } from '../../infra/config/config.ts';
import { openLogistics } from '../../infra/logistics/open.ts';
import type { Logistics } from '../../infra/logistics/port.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { openPayments } from '../../infra/payments/open.ts';
import type { Payments } from '../../infra/payments/port.ts';
import { defaultLimits, protect, type Observer } from '../../infra/resilience/protect.ts';
import { openRisk } from '../../infra/risk/open.ts';
import type { Risk } from '../../infra/risk/port.ts';
import { startSimulators } from '../simulators/simulators.ts';

export type Gateways = {
  readonly payments: Payments;
  readonly logistics: Logistics;
  readonly risk: Risk;
  /** Of the simulators that run here, by name. */
  readonly simulatorUrls: Readonly<Record<string, string>>;
};

type Needed = { readonly config: Config; readonly metrics: Metrics };

/** The gateways that the configuration names; where it names none, our simulators. Every limit is written out here. */
export async function openGateways({ config, metrics }: Needed, stack: AsyncDisposableStack): Promise<Gateways> {
  const { paymentUrl, logisticsUrl, riskUrl, dataDir } = config;
  const allGiven = paymentUrl !== null && logisticsUrl !== null && riskUrl !== null;
  const simulators = allGiven ? null : await startSimulators({ dataDir, settings: config.simulators });
  if (simulators !== null) stack.defer(() => simulators.close());
  const observer = observing(metrics);
  const payment = paymentUrl ?? simulators?.paymentUrl ?? '';
  const logistics = logisticsUrl ?? simulators?.logisticsUrl ?? '';
  const risk = riskUrl ?? simulators?.riskUrl ?? '';
  return {
    payments: protect(openPayments(payment), { ...defaultLimits, name: 'payment', observer }),
    logistics: protect(openLogistics(logistics), { ...defaultLimits, name: 'logistics', observer }),
    risk: protect(openRisk(risk), { ...defaultLimits, name: 'risk', observer }),
    simulatorUrls: simulators === null ? {} : { payment, logistics, risk },
  };
}

const openness = { closed: 0, 'half-open': 0.5, open: 1 } as const;

function observing(metrics: Metrics): Observer {
  const states = new Map<string, number>();
  metrics.watch('breaker_open', () => [...states].map(([of, value]) => ({ of, value })));
  return {
    onAttempt: ({ dependency, number }) => {
      if (!states.has(dependency)) states.set(dependency, openness.closed);
      if (number > 1) metrics.count('retries_total', dependency);
    },
    onStateChange: ({ dependency, state }) => states.set(dependency, openness[state]),
  };
}
