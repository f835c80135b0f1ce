import { openLogistics } from '../../infra/logistics/open.ts';
import type { Logistics } from '../../infra/logistics/port.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { openPayments } from '../../infra/payments/open.ts';
import type { Payments } from '../../infra/payments/port.ts';
import { defaultLimits, protect } from '../../infra/resilience/protect.ts';
import { openRisk } from '../../infra/risk/open.ts';
import type { Risk } from '../../infra/risk/port.ts';
import { observing } from './observe-dependencies.ts';

export type GatewayUrls = { readonly payment: string; readonly logistics: string; readonly risk: string };

export type Gateways = { readonly payments: Payments; readonly logistics: Logistics; readonly risk: Risk };

/** The gateways, protected. Every limit is written out here. */
export function openGateways({ payment, logistics, risk }: GatewayUrls, metrics: Metrics): Gateways {
  const observer = observing(metrics, ['payment', 'logistics', 'risk']);
  return {
    payments: protect(openPayments(payment), { ...defaultLimits, name: 'payment', observer }),
    logistics: protect(openLogistics(logistics), { ...defaultLimits, name: 'logistics', observer }),
    risk: protect(openRisk(risk), { ...defaultLimits, name: 'risk', observer }),
  };
}
