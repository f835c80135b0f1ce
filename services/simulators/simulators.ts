import { startLogisticsSimulator } from './logistics.ts';
import { startPaymentSimulator } from './payment.ts';
import { startRiskSimulator } from './risk.ts';
import type { AllSettings } from './settings.ts';

export type SimulatorsOptions = {
  /** Ledgers are kept in its folder `simulators`. */
  readonly dataDir: string;
  readonly settings: AllSettings;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** Free ones by default. */
  readonly ports?: { readonly payment: number; readonly logistics: number; readonly risk: number };
};

export type Simulators = {
  readonly paymentUrl: string;
  readonly logisticsUrl: string;
  readonly riskUrl: string;
  readonly close: () => Promise<void>;
};

/**
 * Starts all three simulators in this process.
 * @throws Error when a port is taken or a ledger cannot be read; what had started is closed again
 */
export async function startSimulators({ dataDir, settings, ...options }: SimulatorsOptions): Promise<Simulators> {
  const { host = '127.0.0.1', ports = { payment: 0, logistics: 0, risk: 0 } } = options;
  await using started = new AsyncDisposableStack();
  const payment = await startPaymentSimulator({ dataDir, host, port: ports.payment, settings: settings.payment });
  started.defer(payment.close);
  const logistics = await startLogisticsSimulator({
    dataDir,
    host,
    port: ports.logistics,
    settings: settings.logistics,
  });
  started.defer(logistics.close);
  const risk = await startRiskSimulator({ dataDir, host, port: ports.risk, settings: settings.risk });
  started.defer(risk.close);
  const running = started.move();
  return {
    paymentUrl: payment.url,
    logisticsUrl: logistics.url,
    riskUrl: risk.url,
    close: () => running.disposeAsync(),
  };
}
