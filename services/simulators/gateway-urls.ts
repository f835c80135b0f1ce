import type { Config } from '../../infra/config/config.ts';
import { startSimulators } from './simulators.ts';

export type GatewayUrls = { readonly payment: string; readonly logistics: string; readonly risk: string };

export type FoundGateways = {
  readonly gatewayUrls: GatewayUrls;
  /** Of the simulators that run here, by name; none where all gateways are given. */
  readonly simulatorUrls: Readonly<Record<string, string>>;
};

type Given = Pick<Config, 'paymentUrl' | 'logisticsUrl' | 'riskUrl' | 'dataDir' | 'simulators'>;

/** The gateways that the configuration names; where it names one not, our simulators, closed by `opening`. */
export async function findGateways(config: Given, opening: AsyncDisposableStack): Promise<FoundGateways> {
  const { paymentUrl, logisticsUrl, riskUrl, dataDir } = config;
  if (paymentUrl !== null && logisticsUrl !== null && riskUrl !== null) {
    return { gatewayUrls: { payment: paymentUrl, logistics: logisticsUrl, risk: riskUrl }, simulatorUrls: {} };
  }
  const simulators = await startSimulators({ dataDir, simulators: config.simulators });
  opening.defer(() => simulators.close());
  const gatewayUrls = {
    payment: paymentUrl ?? simulators.paymentUrl,
    logistics: logisticsUrl ?? simulators.logisticsUrl,
    risk: riskUrl ?? simulators.riskUrl,
  };
  return { gatewayUrls, simulatorUrls: gatewayUrls };
}
